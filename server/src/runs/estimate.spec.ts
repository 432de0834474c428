import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Stage, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { secondsLeft } from './estimate.js';

const start = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);

const stage = (kind: StageKind, state: StageState, over: Partial<Stage> = {}): Stage => ({
  ...Stage.fromPartial({ kind, state }),
  ...over,
});
const running = (kind: StageKind, eta: number): Stage =>
  stage(kind, StageState.STAGE_STATE_RUNNING, {
    startedAt: start,
    progress: { unit: 'steps', done: 1, total: 2, etaSeconds: eta, phase: '' },
  });
const { STAGE_KIND_PREFER, STAGE_KIND_DPO, STAGE_KIND_EVALUATE } = StageKind;

test('is unknown until a stage has shown a rate', () => {
  const stages = [running(STAGE_KIND_PREFER, -1), stage(STAGE_KIND_DPO, StageState.STAGE_STATE_PENDING)];
  expect(secondsLeft(stages, at(10))).toBe(-1);
});

test('adds the later stages by their typical shares', () => {
  // prefer and dpo have the same share: 10 s gone and 10 s to come make 20 s for dpo.
  const stages = [running(STAGE_KIND_PREFER, 10), stage(STAGE_KIND_DPO, StageState.STAGE_STATE_PENDING)];
  expect(Math.round(secondsLeft(stages, at(10)))).toBe(30);
});

test('the last stage has its own rate alone', () => {
  const done = stage(STAGE_KIND_PREFER, StageState.STAGE_STATE_SUCCEEDED, { startedAt: start, endedAt: at(100) });
  expect(secondsLeft([done, running(STAGE_KIND_EVALUATE, 7)], at(120))).toBe(7);
});

test('a stage without a rate of its own counts down from its share and never below zero', () => {
  const done = stage(STAGE_KIND_PREFER, StageState.STAGE_STATE_SUCCEEDED, { startedAt: start, endedAt: at(20) });
  expect(Math.round(secondsLeft([done, running(STAGE_KIND_DPO, -1)], at(5)))).toBe(15);
  expect(secondsLeft([done, running(STAGE_KIND_DPO, -1)], at(500))).toBe(0);
});

test('a linked stage says nothing about how long the others take', () => {
  const linked = stage(STAGE_KIND_PREFER, StageState.STAGE_STATE_SUCCEEDED, {
    startedAt: start,
    endedAt: start,
    linkedFrom: { runId: 'r', runName: 'earlier', stageId: 's', attemptId: 'a' },
  });
  expect(secondsLeft([linked, stage(STAGE_KIND_DPO, StageState.STAGE_STATE_PENDING)], at(1))).toBe(-1);
});
