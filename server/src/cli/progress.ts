import { nodeOf } from '../model/graph.js';

import { type Run, RunState, type Stage, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { bold, clock, dim, green, isTerminal, LiveArea, print, red, width } from './terminal.js';
import { clip, padStart, shown } from './text.js';

/** Off a terminal a line is printed when a stage has ended and, in between, this often. */
const PLAIN_EVERY_MS = 15_000;
const REDRAW_MS = 1_000;

const MARKS: Partial<Record<StageState, string>> = {
  [StageState.STAGE_STATE_SUCCEEDED]: green('✓'),
  [StageState.STAGE_STATE_FAILED]: red('✗'),
  [StageState.STAGE_STATE_CANCELLED]: dim('◌'),
  [StageState.STAGE_STATE_SKIPPED]: dim('–'),
  [StageState.STAGE_STATE_RUNNING]: '▸',
};

/** A bar for `done` of `total`; empty as long as the total is unknown. */
export function bar(done: number, total: number, cells: number): string {
  const full = total > 0 ? Math.round((Math.min(done, total) / total) * cells) : 0;
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

/** Cells of a bar on a line of so many columns: it says what the figures say, so it shrinks first. */
export const barCells = (columns: number): number => (columns >= 100 ? 24 : columns >= 72 ? 12 : 0);

/** Shows a run's stages as they advance: redrawn on a terminal, line by line elsewhere. */
export class RunProgress {
  readonly #area = new LiveArea();
  readonly #ended = new Set<string>();
  #printedAt = 0;
  #clock: NodeJS.Timeout | undefined;

  show(run: Run, receivedAt = Date.now()): void {
    clearInterval(this.#clock);
    if (!isTerminal) {
      this.#print(run, receivedAt);
      return;
    }
    // Between two messages the clocks go on.
    const draw = (): void => this.#area.draw(runLines(run, receivedAt, Date.now(), width()));
    draw();
    this.#clock = setInterval(draw, REDRAW_MS);
  }

  end(): void {
    clearInterval(this.#clock);
    this.#area.release();
  }

  #print(run: Run, now: number): void {
    const stages = run.stages.filter((stage) => stage.endedAt && !this.#ended.has(stage.id) && this.#ended.add(stage.id));
    const due = now - this.#printedAt >= PLAIN_EVERY_MS || run.endedAt !== undefined;
    if (due) {
      this.#printedAt = now;
      stages.push(...run.stages.filter(({ state }) => state === StageState.STAGE_STATE_RUNNING));
    }
    for (const stage of stages) print(stageLine(stage, now, now, width()));
    if (due) print(footer(run, now, now, width()));
  }
}

/** A line per stage and one for the run. Figures were right at `receivedAt`; times left have gone down since. */
export function runLines(run: Run, receivedAt: number, now: number, columns: number): string[] {
  return [...run.stages.map((stage) => stageLine(stage, receivedAt, now, columns)), footer(run, receivedAt, now, columns)];
}

/** What matters most stands first, so that a narrow line loses what matters least: bar, phase, clock, unit, in this order. */
function stageLine(stage: Stage, receivedAt: number, now: number, columns: number): string {
  const mark = MARKS[stage.state] ?? dim('·');
  const { word } = nodeOf(stage.kind);
  const { done = 0, total = 0, unit = '', phase = '', etaSeconds = -1 } = stage.progress ?? {};
  const cells = barCells(columns);
  const barOf = (part: number, whole: number): string => (cells > 0 ? ` ${bar(part, whole, cells)}` : '');
  const isNarrow = columns < 60;
  const spent = stage.startedAt ? clock(((stage.endedAt?.getTime() ?? now) - stage.startedAt.getTime()) / 1000) : '';
  const time = isNarrow ? '' : ` ${padStart(spent, 7)} `;
  const linked = stage.linkedFrom ? `linked from ${shown(stage.linkedFrom.runName || 'an earlier run', 40)}` : '';
  const again = dim(stage.attempts.length > 1 ? `attempt ${stage.attempts.length}` : linked);
  const count = total > 0 ? `${done}/${total}${isNarrow ? '' : ` ${unit}`}` : '';
  const left = total > 0 && etaSeconds >= 0 ? `${clock(etaSeconds - (now - receivedAt) / 1000)} left` : '';
  const name = word.padEnd(9);
  switch (stage.state) {
    case StageState.STAGE_STATE_RUNNING: {
      const figures = [count, left].filter(Boolean).join(', ');
      return line(columns, `  ${mark} ${bold(name)}${barOf(done, total)}${time}`, figures, shown(phase), again);
    }
    case StageState.STAGE_STATE_SUCCEEDED:
      return line(columns, `  ${mark} ${name}${barOf(1, 1)}${time}`, dim(total > 0 ? `${total} ${unit}` : ''), again);
    case StageState.STAGE_STATE_FAILED:
      return line(columns, `  ${mark} ${name}${barOf(done, total)}${time}`, red(shown(stage.error?.message ?? 'failed', columns)));
    default:
      return line(columns, `  ${mark} ${dim(name)}${dim(barOf(0, 0))}`);
  }
}

const line = (columns: number, head: string, ...parts: string[]): string => clip([head, ...parts.filter(Boolean)].join(' '), columns - 1);

function footer(run: Run, receivedAt: number, now: number, columns: number): string {
  const since = run.startedAt ?? run.createdAt;
  const spent = since ? clock(((run.endedAt?.getTime() ?? now) - since.getTime()) / 1000) : '0:00';
  const waiting = run.waiting === '' ? '' : `: ${shown(run.waiting, columns)}`;
  const left = run.etaSeconds >= 0 ? `about ${clock(run.etaSeconds - (now - receivedAt) / 1000)} left` : 'estimating the time left';
  const text =
    run.state === RunState.RUN_STATE_PAUSED
      ? 'paused; resume it in the console'
      : run.state === RunState.RUN_STATE_QUEUED
        ? `queued, position ${run.queuePosition}${waiting}`
        : `${spent} in all${run.endedAt ? '' : `, ${left}`}`;
  return clip(dim(`    ${text}`), columns - 1);
}
