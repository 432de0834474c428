import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageState } from '../../gen/stic/runs/v1/runs.js';
import { JobError, JobState } from '../../gen/stic/trainer/v1/trainer.js';
import { DomainError } from '../../platform/errors.js';
import { attemptLimit, cancelGraceMs, nextAction, unreachableGraceMs, verdictOf } from './decide.js';
import type { AttemptView, StageView } from './decide.js';
import { endingOf } from './follow.js';
import { chooseTrainer, freeSlots } from './place.js';
import { chosenFell } from './warnings.js';

const now = new Date('2026-01-01T00:00:00Z');
const ago = (ms: number): Date => new Date(now.getTime() - ms);

const attempt = (over: Partial<AttemptView> = {}): AttemptView => ({
  id: 'a1',
  trainer: 'host:1',
  state: JobState.JOB_STATE_RUNNING,
  lastSeq: 0n,
  unreachableSince: null,
  endedAt: null,
  ...over,
});

const stage = (over: Partial<StageView> = {}): StageView => ({
  state: StageState.STAGE_STATE_READY,
  cancelRequested: false,
  notBefore: null,
  attempts: [],
  ...over,
});

test('a ready stage starts its first attempt', () => {
  assert.deepEqual(nextAction(stage(), now), { do: 'start', number: 1, previous: undefined });
});

test('after a lost attempt the next one may take up its work, but not before the back-off is over', () => {
  const lost = attempt({ endedAt: ago(1), state: JobState.JOB_STATE_LOST });
  assert.deepEqual(nextAction(stage({ attempts: [lost] }), now), { do: 'start', number: 2, previous: lost });
  assert.deepEqual(nextAction(stage({ attempts: [lost], notBefore: new Date(now.getTime() + 1) }), now), { do: 'nothing' });
});

test('an open attempt is followed, cancelled or not, until its trainer has been silent too long', () => {
  const running = { state: StageState.STAGE_STATE_RUNNING };
  assert.equal(nextAction(stage({ ...running, attempts: [attempt()] }), now).do, 'follow');
  assert.equal(nextAction(stage({ ...running, attempts: [attempt()], cancelRequested: true }), now).do, 'follow');
  const silent = attempt({ unreachableSince: ago(cancelGraceMs + 1) });
  assert.equal(nextAction(stage({ ...running, attempts: [silent] }), now).do, 'follow');
  assert.equal(nextAction(stage({ ...running, attempts: [silent], cancelRequested: true }), now).do, 'abandon');
  const gone = attempt({ unreachableSince: ago(unreachableGraceMs + 1) });
  assert.equal(nextAction(stage({ ...running, attempts: [gone] }), now).do, 'abandon');
});

test('a cancel between attempts or before the first one ends the run, back-off or not', () => {
  assert.deepEqual(nextAction(stage({ cancelRequested: true }), now), { do: 'cancel' });
  assert.deepEqual(nextAction(stage({ cancelRequested: true, notBefore: new Date(now.getTime() + 9) }), now), { do: 'cancel' });
});

test('nothing is done for a stage that has ended or waits for another', () => {
  for (const state of [
    StageState.STAGE_STATE_PENDING,
    StageState.STAGE_STATE_SUCCEEDED,
    StageState.STAGE_STATE_FAILED,
    StageState.STAGE_STATE_SKIPPED,
  ]) {
    assert.deepEqual(nextAction(stage({ state, cancelRequested: true }), now), { do: 'nothing' });
  }
});

test('lost and transient attempts are tried again with a growing delay, up to the limit', () => {
  const lost = { state: JobState.JOB_STATE_LOST, error: undefined };
  assert.deepEqual(verdictOf(lost, 1, false), { stage: 'retry', delayMs: 1_000 });
  assert.deepEqual(verdictOf(lost, 2, false), { stage: 'retry', delayMs: 2_000 });
  const last = verdictOf(lost, attemptLimit, false);
  assert.equal(last.stage, 'failed');
  assert.match(last.error.message, /after 3 attempts/);
  const transient = { state: JobState.JOB_STATE_FAILED, error: JobError.fromPartial({ code: 'DISK_FULL', transient: true }) };
  assert.equal(verdictOf(transient, 1, false).stage, 'retry');
});

test("a permanent failure fails at once and keeps the trainer's words", () => {
  const error = JobError.fromPartial({ code: 'DATA_INVALID', message: 'a.jpg is truncated', subject: 'a.jpg' });
  assert.deepEqual(verdictOf({ state: JobState.JOB_STATE_FAILED, error }, 1, false), { stage: 'failed', error });
});

test('whatever ends an attempt of a cancelled run, the stage is cancelled, unless it has succeeded', () => {
  for (const state of [JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_LOST, JobState.JOB_STATE_FAILED]) {
    assert.deepEqual(verdictOf({ state, error: undefined }, 1, true), { stage: 'cancelled' });
  }
  assert.deepEqual(verdictOf({ state: JobState.JOB_STATE_SUCCEEDED, error: undefined }, 1, true), { stage: 'succeeded' });
});

test('an error of the trainer ends the attempt only when asking again cannot help', () => {
  assert.equal(endingOf(new DomainError('UNAVAILABLE', 'x'), attempt(), false), undefined);
  assert.equal(endingOf(new DomainError('DEADLINE_EXCEEDED', 'x'), attempt(), false), undefined);
  assert.equal(endingOf(new DomainError('NOT_FOUND', 'x'), attempt(), false)?.state, JobState.JOB_STATE_LOST);
  assert.equal(endingOf(new DomainError('NOT_FOUND', 'x'), attempt(), true)?.state, JobState.JOB_STATE_CANCELLED);
  assert.equal(endingOf(new DomainError('INVALID_ARGUMENT', 'x'), attempt(), false)?.state, JobState.JOB_STATE_FAILED);
});

test('a trainer has room for its capacity less what it reports and what was placed on it since', () => {
  const trainer = { address: 'a', healthy: true, capacity: 2, activeJobs: ['1'] };
  assert.equal(freeSlots(trainer, []), 1);
  assert.equal(freeSlots(trainer, [{ id: '1', trainer: 'a' }]), 1);
  assert.equal(freeSlots(trainer, [{ id: '2', trainer: 'a' }]), 0);
  assert.equal(freeSlots(trainer, [{ id: '2', trainer: 'b' }]), 1);
  assert.equal(freeSlots({ ...trainer, healthy: false }, []), 0);
});

test('the next attempt goes where its work lies, else where there is most room', () => {
  const trainers = [
    { address: 'a', healthy: true, capacity: 1, activeJobs: [] },
    { address: 'b', healthy: true, capacity: 3, activeJobs: [] },
  ];
  assert.equal(chooseTrainer(trainers, [], undefined), 'b');
  assert.equal(chooseTrainer(trainers, [], 'a'), 'a');
  assert.equal(chooseTrainer(trainers, [{ id: '1', trainer: 'a' }], 'a'), 'b');
  assert.equal(chooseTrainer([], [], 'a'), undefined);
});

test('a fall of the chosen log-probability is told, noise is not', () => {
  const series = (values: number[]): { step: number; value: number }[] => values.map((value, step) => ({ step, value }));
  const falling = Array.from({ length: 20 }, (_, step) => -80 - step);
  assert.match(chosenFell(series(falling))[0] ?? '', /fell during DPO, from -82\.0 to -97\.0/);
  assert.deepEqual(chosenFell(series(falling.map((value) => -value))), []);
  assert.deepEqual(chosenFell(series(Array.from({ length: 20 }, (_, step) => -80 - (step % 2)))), []);
  assert.deepEqual(chosenFell(series([-80, -90, -100])), []);
});
