import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import { RunState, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { EvaluationScore, JobError } from '@stic/api/gen/stic/common/v1/common.js';
import { outcomeOf, type RunView } from './outcome.js';

const { STAGE_KIND_PREFER, STAGE_KIND_DPO, STAGE_KIND_SFT } = StageKind;
const stages = (...states: StageState[]): RunView['stages'] =>
  [STAGE_KIND_PREFER, STAGE_KIND_DPO, STAGE_KIND_SFT].map((kind, index) => ({
    kind,
    state: states[index] ?? StageState.STAGE_STATE_SUCCEEDED,
  }));

const run = (state: RunState, over: Partial<RunView> = {}): string =>
  outcomeOf({ state, error: undefined, stages: stages(), gate: undefined, scores: [], ...over });

const score = (subject: string, difference: number, half: number, over: Partial<EvaluationScore> = {}): EvaluationScore =>
  EvaluationScore.fromPartial({
    ...{ benchmark: 'scenes', metric: 'f1', mode: 'plain', primary: true, higherIsBetter: true, n: 300 },
    ...{ subject, difference, low: difference - half, high: difference + half },
    ...over,
  });

test('a run that goes on has no outcome', () => {
  for (const state of [RunState.RUN_STATE_QUEUED, RunState.RUN_STATE_RUNNING, RunState.RUN_STATE_PAUSED]) expect(run(state)).toBe('');
});

test('a failure names its stage, its reason and its code', () => {
  const error = JobError.fromPartial({ code: 'OUT_OF_MEMORY', message: 'The GPU is full.\nTraceback …' });
  const failed = { error, stages: stages(StageState.STAGE_STATE_SUCCEEDED, StageState.STAGE_STATE_FAILED, StageState.STAGE_STATE_SKIPPED) };
  expect(run(RunState.RUN_STATE_FAILED, failed)).toBe('Failed in dpo: The GPU is full (OUT_OF_MEMORY).');
  expect(run(RunState.RUN_STATE_FAILED, { stages: [] })).toBe('Failed: no reason given.');
});

test('a cancelled run says where it was', () => {
  const cancelled = { stages: stages(StageState.STAGE_STATE_CANCELLED, StageState.STAGE_STATE_SKIPPED, StageState.STAGE_STATE_SKIPPED) };
  expect(run(RunState.RUN_STATE_CANCELLED, cancelled)).toBe('Cancelled in prefer: nothing was compared.');
});

test('without a gate, the best way of answering against the base', () => {
  const better = [score('base', 0, 0), score('stage1', 3, 1), score('stage2', 2, 1), score('stage2', 6.1, 1, { mode: 'dar' })];
  expect(run(RunState.RUN_STATE_SUCCEEDED, { scores: better })).toBe(
    'No gate: best is stage 2 with DaR, +6.1 [+5.1, +7.1] on scenes against base.',
  );
  const two = [score('stage1', 3, 1), score('stage1', -1, 0.5, { benchmark: 'questions' })];
  expect(run(RunState.RUN_STATE_SUCCEEDED, { scores: two })).toBe(
    'No gate: best is stage 1, +1.0 on the mean of 2 benchmarks, clear on 1, against base, worse on questions.',
  );
  const fewer = [score('stage1', -4, 1, { higherIsBetter: false, metric: 'hallucinated' })];
  expect(run(RunState.RUN_STATE_SUCCEEDED, { scores: fewer })).toMatch(/best is stage 1, \+4\.0 \[\+3\.0, \+5\.0\]/);
});

test('no better model is not sold as one', () => {
  expect(run(RunState.RUN_STATE_SUCCEEDED, { scores: [score('stage1', 0.4, 1)] })).toMatch(
    /^No gate: nothing clearly better; best is stage 1/,
  );
  const untrained = [score('base', 5, 1, { mode: 'dar' }), score('stage1', 1, 2)];
  expect(run(RunState.RUN_STATE_SUCCEEDED, { scores: untrained })).toMatch(
    /^No gate: no better model; best is the base model with DaR, \+5\.0/,
  );
  expect(run(RunState.RUN_STATE_SUCCEEDED)).toBe('Trained stage1 and stage2: without a benchmark nothing says whether it is better.');
});

test('a gate has the word, unless it has decided nothing', () => {
  const gate: RunView['gate'] = {
    ...{ state: GateState.GATE_STATE_KEPT, alias: 'champion', championId: null, championRunName: '', meanGain: 0, comment: '' },
    ...{ reasons: ['Kept: nothing was measured.'], config: { maxDrop: 1 }, benchmarks: [], candidate: 'stage1 of tonight' },
  };
  expect(run(RunState.RUN_STATE_SUCCEEDED, { gate })).toBe('Kept the base model: nothing was measured.');
  expect(run(RunState.RUN_STATE_SUCCEEDED, { gate: { ...gate, state: GateState.GATE_STATE_WAITING } })).toMatch(/^Trained stage1/);
});
