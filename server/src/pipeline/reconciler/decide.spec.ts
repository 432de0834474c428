import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobError, JobState } from '@stic/api/gen/stic/common/v1/common.js';
import { DomainError } from '../../platform/errors.js';
import { nextAction, stopAsked, stopGraceMs, unreachableGraceMs, verdictOf } from './decide.js';
import type { AttemptView, Ending, StageView } from './decide.js';
import { endingOf } from './attempt-watch.js';
import { readMetrics } from '../../model/metric-catalogue.js';
import { chosenFell, chosenReward } from './warnings.js';
import { ensure } from '../../../../test/support/expect.js';

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
  expect(nextAction(stage(), now)).toStrictEqual({ do: 'start', number: 1, previous: undefined });
});

test('after a lost attempt the next one may take up its work, but not before the back-off is over', () => {
  const lost = attempt({ endedAt: ago(1), state: JobState.JOB_STATE_LOST });
  expect(nextAction(stage({ attempts: [lost] }), now)).toStrictEqual({ do: 'start', number: 2, previous: lost });
  expect(nextAction(stage({ attempts: [lost], notBefore: new Date(now.getTime() + 1) }), now)).toStrictEqual({ do: 'nothing' });
});

test('an open attempt is followed, cancelled or not, until its trainer has been silent too long', () => {
  const running = { state: StageState.STAGE_STATE_RUNNING };
  expect(nextAction(stage({ ...running, attempts: [attempt()] }), now).do).toBe('follow');
  expect(nextAction(stage({ ...running, attempts: [attempt()], stop: 'cancel' }), now).do).toBe('follow');
  const silent = attempt({ unreachableSince: ago(stopGraceMs + 1) });
  expect(nextAction(stage({ ...running, attempts: [silent] }), now).do).toBe('follow');
  expect(nextAction(stage({ ...running, attempts: [silent], stop: 'cancel' }), now).do).toBe('abandon');
  const gone = attempt({ unreachableSince: ago(unreachableGraceMs + 1) });
  expect(nextAction(stage({ ...running, attempts: [gone] }), now).do).toBe('abandon');
});

test('a pause between attempts lets none begin', () => {
  expect(nextAction(stage({ stop: 'pause' }), now)).toStrictEqual({ do: 'stop', how: 'pause' });
});

test('a cancel goes before a pause', () => {
  expect(stopAsked({ cancelRequestedAt: now, pauseRequestedAt: now })).toBe('cancel');
  expect(stopAsked({ cancelRequestedAt: null, pauseRequestedAt: now })).toBe('pause');
  expect(stopAsked({ cancelRequestedAt: null, pauseRequestedAt: null })).toBeUndefined();
});

test('a cancel between attempts or before the first one ends the run, back-off or not', () => {
  expect(nextAction(stage({ stop: 'cancel' }), now)).toStrictEqual({ do: 'stop', how: 'cancel' });
  expect(nextAction(stage({ stop: 'cancel', notBefore: new Date(now.getTime() + 9) }), now)).toStrictEqual({ do: 'stop', how: 'cancel' });
});

test('nothing is done for a stage that has ended or waits for another', () => {
  for (const state of [
    StageState.STAGE_STATE_PENDING,
    StageState.STAGE_STATE_SUCCEEDED,
    StageState.STAGE_STATE_FAILED,
    StageState.STAGE_STATE_SKIPPED,
  ]) {
    expect(nextAction(stage({ state, stop: 'cancel' }), now)).toStrictEqual({ do: 'nothing' });
  }
});

const retry = { maxAttempts: 3, backoffSeconds: 0.5 };
const lost = { state: JobState.JOB_STATE_LOST, error: undefined };
const failed = (error: Partial<JobError>): Ending => ({ state: JobState.JOB_STATE_FAILED, error: JobError.fromPartial(error) });

test("lost and transient attempts are tried again with a growing delay, up to the recipe's limit", () => {
  expect(verdictOf(lost, 1, retry, undefined)).toStrictEqual({ stage: 'retry', delayMs: 500 });
  expect(verdictOf(lost, 2, retry, undefined)).toStrictEqual({ stage: 'retry', delayMs: 1_000 });
  const last = verdictOf(lost, 3, retry, undefined);
  ensure(last.stage === 'failed');
  expect(last.error.message).toMatch(/after 3 attempts, as many as retry\.max_attempts allows/);
  expect(verdictOf(failed({ code: 'DISK_FULL', transient: true }), 1, retry, undefined).stage).toBe('retry');
  expect(verdictOf(lost, 1, { maxAttempts: 1, backoffSeconds: 0 }, undefined).stage).toBe('failed');
});

test("a permanent failure fails at once, keeps the trainer's words and says that it was not tried again", () => {
  const verdict = verdictOf(failed({ code: 'DATA_INVALID', message: 'a.jpg is truncated', subject: 'a.jpg' }), 1, retry, undefined);
  ensure(verdict.stage === 'failed');
  expect([verdict.error.code, verdict.error.message, verdict.error.subject]).toStrictEqual(['DATA_INVALID', 'a.jpg is truncated', 'a.jpg']);
  expect(verdict.error.hint).toMatch(/not tried again/);
  expect(verdictOf(failed({ code: 'MODEL_UNSUPPORTED' }), 1, retry, 'pause').stage, 'a pause hides nothing').toBe('failed');
});

test('whatever ends an attempt of a cancelled run, the stage is cancelled, unless it has succeeded', () => {
  for (const state of [JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_LOST, JobState.JOB_STATE_FAILED]) {
    expect(verdictOf({ state, error: undefined }, 1, retry, 'cancel')).toStrictEqual({ stage: 'cancelled' });
  }
  expect(verdictOf({ state: JobState.JOB_STATE_SUCCEEDED, error: undefined }, 1, retry, 'cancel')).toStrictEqual({ stage: 'succeeded' });
});

test('an attempt that a pause has stopped is no fault, and neither is one that was lost meanwhile', () => {
  expect(verdictOf({ state: JobState.JOB_STATE_CANCELLED, error: undefined }, 3, retry, 'pause')).toStrictEqual({ stage: 'paused' });
  expect(verdictOf(lost, 3, retry, 'pause')).toStrictEqual({ stage: 'paused' });
});

test('an error of the trainer ends the attempt only when asking again cannot help', () => {
  expect(endingOf(new DomainError('UNAVAILABLE', 'x'), attempt(), false)).toBeUndefined();
  expect(endingOf(new DomainError('DEADLINE_EXCEEDED', 'x'), attempt(), false)).toBeUndefined();
  expect(endingOf(new DomainError('NOT_FOUND', 'x'), attempt(), false)?.state).toBe(JobState.JOB_STATE_LOST);
  expect(endingOf(new DomainError('NOT_FOUND', 'x'), attempt(), true)?.state).toBe(JobState.JOB_STATE_CANCELLED);
  expect(endingOf(new DomainError('INVALID_ARGUMENT', 'x'), attempt(), false)?.state).toBe(JobState.JOB_STATE_FAILED);
});

test('chosen texts that end less likely than under the reference are told', () => {
  const series = (values: number[]): { step: number; value: number }[] => values.map((value, step) => ({ step, value }));
  const falling = Array.from({ length: 20 }, (_, step) => 2 - step / 5);
  expect(chosenFell(series(falling))[0] ?? '').toMatch(/rewards\/chosen is -1\.5 in the mean of the last 4 steps/);
  expect(chosenFell(series(falling.map((value) => -value)))).toStrictEqual([]);
  expect(chosenFell(series(falling.slice(0, 14))), 'two steps are too few to judge by').toStrictEqual([]);
  expect(
    readMetrics().map(({ name }) => name),
    'the trainer reports it',
  ).toContain(chosenReward);
});
