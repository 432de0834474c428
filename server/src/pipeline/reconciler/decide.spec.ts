import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobError, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { DomainError } from '../../platform/errors.js';
import { nextAction, stopAsked, stopGraceMs, unreachableGraceMs, verdictOf } from './decide.js';
import type { AttemptView, Ending, StageView } from './decide.js';
import { endingOf } from './attempt-watch.js';
import { readMetrics } from '../../model/metric-catalogue.js';
import { chosenFell, chosenReward } from './warnings.js';

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
  stop: undefined,
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
  assert.equal(nextAction(stage({ ...running, attempts: [attempt()], stop: 'cancel' }), now).do, 'follow');
  const silent = attempt({ unreachableSince: ago(stopGraceMs + 1) });
  assert.equal(nextAction(stage({ ...running, attempts: [silent] }), now).do, 'follow');
  assert.equal(nextAction(stage({ ...running, attempts: [silent], stop: 'cancel' }), now).do, 'abandon');
  const gone = attempt({ unreachableSince: ago(unreachableGraceMs + 1) });
  assert.equal(nextAction(stage({ ...running, attempts: [gone] }), now).do, 'abandon');
});

test('a pause between attempts lets none begin', () => {
  assert.deepEqual(nextAction(stage({ stop: 'pause' }), now), { do: 'stop', how: 'pause' });
});

test('a cancel goes before a pause', () => {
  assert.equal(stopAsked({ cancelRequestedAt: now, pauseRequestedAt: now }), 'cancel');
  assert.equal(stopAsked({ cancelRequestedAt: null, pauseRequestedAt: now }), 'pause');
  assert.equal(stopAsked({ cancelRequestedAt: null, pauseRequestedAt: null }), undefined);
});

test('a cancel between attempts or before the first one ends the run, back-off or not', () => {
  assert.deepEqual(nextAction(stage({ stop: 'cancel' }), now), { do: 'stop', how: 'cancel' });
  assert.deepEqual(nextAction(stage({ stop: 'cancel', notBefore: new Date(now.getTime() + 9) }), now), { do: 'stop', how: 'cancel' });
});

test('nothing is done for a stage that has ended or waits for another', () => {
  for (const state of [
    StageState.STAGE_STATE_PENDING,
    StageState.STAGE_STATE_SUCCEEDED,
    StageState.STAGE_STATE_FAILED,
    StageState.STAGE_STATE_SKIPPED,
  ]) {
    assert.deepEqual(nextAction(stage({ state, stop: 'cancel' }), now), { do: 'nothing' });
  }
});

const retry = { maxAttempts: 3, backoffSeconds: 0.5 };
const lost = { state: JobState.JOB_STATE_LOST, error: undefined };
const failed = (error: Partial<JobError>): Ending => ({ state: JobState.JOB_STATE_FAILED, error: JobError.fromPartial(error) });

test("lost and transient attempts are tried again with a growing delay, up to the recipe's limit", () => {
  assert.deepEqual(verdictOf(lost, 1, retry, undefined), { stage: 'retry', delayMs: 500 });
  assert.deepEqual(verdictOf(lost, 2, retry, undefined), { stage: 'retry', delayMs: 1_000 });
  const last = verdictOf(lost, 3, retry, undefined);
  assert.ok(last.stage === 'failed');
  assert.match(last.error.message, /after 3 attempts, as many as retry\.max_attempts allows/);
  assert.equal(verdictOf(failed({ code: 'DISK_FULL', transient: true }), 1, retry, undefined).stage, 'retry');
  assert.equal(verdictOf(lost, 1, { maxAttempts: 1, backoffSeconds: 0 }, undefined).stage, 'failed');
});

test("a permanent failure fails at once, keeps the trainer's words and says that it was not tried again", () => {
  const verdict = verdictOf(failed({ code: 'DATA_INVALID', message: 'a.jpg is truncated', subject: 'a.jpg' }), 1, retry, undefined);
  assert.ok(verdict.stage === 'failed');
  assert.deepEqual([verdict.error.code, verdict.error.message, verdict.error.subject], ['DATA_INVALID', 'a.jpg is truncated', 'a.jpg']);
  assert.match(verdict.error.hint, /not tried again/);
  assert.equal(verdictOf(failed({ code: 'MODEL_UNSUPPORTED' }), 1, retry, 'pause').stage, 'failed', 'a pause hides nothing');
});

test('whatever ends an attempt of a cancelled run, the stage is cancelled, unless it has succeeded', () => {
  for (const state of [JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_LOST, JobState.JOB_STATE_FAILED]) {
    assert.deepEqual(verdictOf({ state, error: undefined }, 1, retry, 'cancel'), { stage: 'cancelled' });
  }
  assert.deepEqual(verdictOf({ state: JobState.JOB_STATE_SUCCEEDED, error: undefined }, 1, retry, 'cancel'), { stage: 'succeeded' });
});

test('an attempt that a pause has stopped is no fault, and neither is one that was lost meanwhile', () => {
  assert.deepEqual(verdictOf({ state: JobState.JOB_STATE_CANCELLED, error: undefined }, 3, retry, 'pause'), { stage: 'paused' });
  assert.deepEqual(verdictOf(lost, 3, retry, 'pause'), { stage: 'paused' });
});

test('an error of the trainer ends the attempt only when asking again cannot help', () => {
  assert.equal(endingOf(new DomainError('UNAVAILABLE', 'x'), attempt(), false), undefined);
  assert.equal(endingOf(new DomainError('DEADLINE_EXCEEDED', 'x'), attempt(), false), undefined);
  assert.equal(endingOf(new DomainError('NOT_FOUND', 'x'), attempt(), false)?.state, JobState.JOB_STATE_LOST);
  assert.equal(endingOf(new DomainError('NOT_FOUND', 'x'), attempt(), true)?.state, JobState.JOB_STATE_CANCELLED);
  assert.equal(endingOf(new DomainError('INVALID_ARGUMENT', 'x'), attempt(), false)?.state, JobState.JOB_STATE_FAILED);
});

test('chosen texts that end less likely than under the reference are told', () => {
  const series = (values: number[]): { step: number; value: number }[] => values.map((value, step) => ({ step, value }));
  const falling = Array.from({ length: 20 }, (_, step) => 2 - step / 5);
  assert.match(chosenFell(series(falling))[0] ?? '', /rewards\/chosen is -1\.5 in the mean of the last 4 steps/);
  assert.deepEqual(chosenFell(series(falling.map((value) => -value))), []);
  assert.deepEqual(chosenFell(series(falling.slice(0, 14))), [], 'two steps are too few to judge by');
  assert.ok(
    readMetrics().some(({ name }) => name === chosenReward),
    'the trainer reports it',
  );
});
