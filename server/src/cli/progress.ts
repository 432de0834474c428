import { nodeOf } from '../pipeline/graph.js';

import { type Run, RunState, type Stage, StageState } from '../gen/stic/runs/v1/runs.js';
import { bold, clock, dim, green, isTerminal, LiveArea, print, red } from './terminal.js';

const BAR_CELLS = 24;
/** Off a terminal a line is printed when a stage has ended and, in between, this often. */
const PLAIN_EVERY_MS = 15_000;

const MARKS: Partial<Record<StageState, string>> = {
  [StageState.STAGE_STATE_SUCCEEDED]: green('✓'),
  [StageState.STAGE_STATE_FAILED]: red('✗'),
  [StageState.STAGE_STATE_CANCELLED]: dim('◌'),
  [StageState.STAGE_STATE_SKIPPED]: dim('–'),
  [StageState.STAGE_STATE_RUNNING]: '▸',
};

/** A bar for `done` of `total`; empty as long as the total is unknown. */
export function bar(done: number, total: number, cells = BAR_CELLS): string {
  const full = total > 0 ? Math.round((Math.min(done, total) / total) * cells) : 0;
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

/** Shows a run's stages as they advance: redrawn on a terminal, line by line elsewhere. */
export class RunProgress {
  readonly #area = new LiveArea();
  readonly #ended = new Set<string>();
  #printedAt = 0;

  show(run: Run, now = Date.now()): void {
    if (isTerminal) {
      this.#area.draw([...run.stages.map((stage) => stageLine(stage, now)), footer(run, now)]);
      return;
    }
    const over = run.stages.filter((stage) => stage.endedAt && !this.#ended.has(stage.id));
    for (const stage of over) {
      this.#ended.add(stage.id);
      print(stageLine(stage, now));
    }
    if (now - this.#printedAt < PLAIN_EVERY_MS && !run.endedAt) return;
    this.#printedAt = now;
    for (const stage of run.stages.filter(({ state }) => state === StageState.STAGE_STATE_RUNNING)) print(stageLine(stage, now));
    print(footer(run, now));
  }

  end(): void {
    this.#area.release();
  }
}

function stageLine(stage: Stage, now: number): string {
  const mark = MARKS[stage.state] ?? dim('·');
  const name = nodeOf(stage.kind).word.padEnd(9);
  const { done = 0, total = 0, unit = '', phase = '', etaSeconds = -1 } = stage.progress ?? {};
  const time = stage.startedAt ? clock(((stage.endedAt?.getTime() ?? now) - stage.startedAt.getTime()) / 1000) : '';
  const linked = stage.linkedFrom ? ` linked from ${stage.linkedFrom.runName || 'an earlier run'}` : '';
  const again = dim(stage.attempts.length > 1 ? ` attempt ${stage.attempts.length}` : linked);
  switch (stage.state) {
    case StageState.STAGE_STATE_RUNNING: {
      const left = etaSeconds >= 0 ? `, ${clock(etaSeconds)} left` : '';
      return `  ${mark} ${bold(name)} ${bar(done, total)} ${time.padStart(7)}  ${phase} ${total > 0 ? `${done}/${total} ${unit}${left}` : ''}${again}`;
    }
    case StageState.STAGE_STATE_SUCCEEDED:
      return `  ${mark} ${name} ${bar(1, 1)} ${time.padStart(7)}  ${dim(total > 0 ? `${total} ${unit}` : '')}${again}`;
    case StageState.STAGE_STATE_FAILED:
      return `  ${mark} ${name} ${bar(done, total)} ${time.padStart(7)}  ${red(stage.error?.message ?? 'failed')}`;
    default:
      return `  ${mark} ${dim(name)} ${dim(bar(0, 0))}`;
  }
}

function footer(run: Run, now: number): string {
  const since = run.startedAt ?? run.createdAt;
  const spent = since ? clock(((run.endedAt?.getTime() ?? now) - since.getTime()) / 1000) : '0:00';
  if (run.state === RunState.RUN_STATE_PAUSED) return dim('    paused; resume it in the console');
  const waiting = run.waiting === '' ? '' : `: ${run.waiting}`;
  if (run.state === RunState.RUN_STATE_QUEUED) return dim(`    queued, position ${run.queuePosition}${waiting}`);
  const left = run.endedAt ? '' : run.etaSeconds >= 0 ? `, about ${clock(run.etaSeconds)} left` : ', estimating the time left';
  return dim(`    ${spent} in all${left}`);
}
