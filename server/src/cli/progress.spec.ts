import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Run, RunState, Stage, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { runLines } from './progress.js';
import { differenceLine } from './run.js';
import { columnsOf } from './text.js';

const start = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number): number => start.getTime() + seconds * 1000;

const stage = (kind: StageKind, state: StageState, over: Partial<Stage> = {}): Stage => ({
  ...Stage.fromPartial({ kind, state }),
  ...over,
});

const run: Run = {
  ...Run.fromPartial({ state: RunState.RUN_STATE_RUNNING, etaSeconds: 2_151 }),
  startedAt: start,
  stages: [
    stage(StageKind.STAGE_KIND_PREFER, StageState.STAGE_STATE_SUCCEEDED, {
      startedAt: start,
      endedAt: new Date(at(83)),
      progress: { unit: 'pairs', done: 400, total: 400, etaSeconds: 0, phase: '' },
    }),
    stage(StageKind.STAGE_KIND_DPO, StageState.STAGE_STATE_FAILED, {
      startedAt: start,
      error: { code: 'X', message: 'the model 写真 said nothing \u001b[2J '.repeat(9), subject: '', hint: '', transient: false },
    }),
    stage(StageKind.STAGE_KIND_EVALUATE, StageState.STAGE_STATE_RUNNING, {
      startedAt: start,
      progress: { unit: 'texts', done: 1_093, total: 14_141, etaSeconds: 2_151, phase: 'dar: stage2 describes' },
    }),
    stage(StageKind.STAGE_KIND_SFT, StageState.STAGE_STATE_PENDING),
  ],
};

test('at any width a line fits and keeps its figures', () => {
  for (const columns of [40, 60, 80, 120]) {
    const lines = runLines(run, at(90), at(90), columns);
    for (const line of lines) expect(columnsOf(line), `${columns}: ${line}`).toBeLessThan(columns);
    expect(lines[2] ?? '', String(columns)).toMatch(/1093\/14141( texts)?, 35:51 left/);
    expect(lines.join(''), 'a message holds no control character').not.toContain('\u001b');
  }
  expect(runLines(run, at(90), at(90), 120)[2] ?? '').toMatch(/█.* 1:30 .*dar: stage2 describes/);
  expect(runLines(run, at(90), at(90), 80)[2] ?? '').toMatch(/1:30 .*left dar: stage/);
});

test('between two messages the clocks go on', () => {
  const [, , line, , footer] = runLines(run, at(90), at(150), 120);
  expect(line ?? '').toMatch(/ 2:30 .*34:51 left/);
  expect(footer ?? '').toMatch(/2:30 in all, about 34:51 left/);
});

test('a field that differs from the paper stands on one line where there is room, else on two', () => {
  const difference = { field: 'dpo.optimizer.learning_rate', paper: '0.0000001', run: 'x'.repeat(200) };
  expect(differenceLine({ ...difference, run: '1' }, 100).split('\n')).toHaveLength(1);
  for (const columns of [40, 60, 80]) {
    for (const line of differenceLine(difference, columns).split('\n')) expect(columnsOf(line), line).toBeLessThanOrEqual(columns);
  }
});
