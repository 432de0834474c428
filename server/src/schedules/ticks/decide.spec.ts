import { OverlapPolicy, TickOrigin, TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { type EarlierView, mostWaiting, nextStep, type Step, type TickView } from './decide.js';

const tick = (change: Partial<TickView> = {}): TickView => ({ origin: TickOrigin.TICK_ORIGIN_CLOCK, inputs: null, ...change });
const running: EarlierView = { state: TickState.TICK_STATE_RUNNING, nominalAt: new Date('2027-01-01T02:30:00Z'), runHasEnded: false };
const waits: EarlierView = { ...running, state: TickState.TICK_STATE_WAITING };
const paused = { pausedAt: new Date(), pauseReason: 'holidays' };
const active = { pausedAt: null, pauseReason: '' };

const { OVERLAP_POLICY_SKIP: skip, OVERLAP_POLICY_QUEUE: queue, OVERLAP_POLICY_CANCEL_PREVIOUS: cancel } = OverlapPolicy;
const stepOf = (overlap: OverlapPolicy, earlier: EarlierView[], of = tick(), pause: typeof active | typeof paused = active): Step =>
  nextStep(of, { overlap, ...pause }, earlier);

test('with nothing before it a tick is prepared, then fires', () => {
  for (const overlap of [skip, queue, cancel]) expect(stepOf(overlap, []).do).toBe('prepare');
  expect(stepOf(skip, [], tick({ inputs: [{}] })).do).toBe('fire');
});

test('while an earlier one runs: skipped, waits, or overtakes', () => {
  const skipped = stepOf(skip, [running]);
  expect([skipped.do, 'reason' in skipped && skipped.reason]).toStrictEqual(['skip', TickReason.TICK_REASON_OVERLAP]);
  expect('message' in skipped ? skipped.message : '').toMatch(/the fire of 2027-01-01T02:30:00.000Z is still running/);
  expect(stepOf(queue, [running]).do).toBe('wait');
  expect(stepOf(cancel, [running]).do).toBe('overtake');
});

test('times that were asked for one by one wait whatever the rule says', () => {
  for (const origin of [TickOrigin.TICK_ORIGIN_BACKFILL, TickOrigin.TICK_ORIGIN_CATCH_UP]) {
    for (const overlap of [skip, cancel]) expect(stepOf(overlap, [running], tick({ origin })).do).toBe('wait');
  }
});

test('a run that has just ended is settled first, whatever the rule says', () => {
  for (const overlap of [skip, queue, cancel]) {
    const step = stepOf(overlap, [{ ...running, runHasEnded: true }]);
    expect([step.do, 'soon' in step && step.soon]).toStrictEqual(['wait', true]);
  }
});

test('a full queue takes no more', () => {
  const waiting = Array.from({ length: mostWaiting }, () => waits);
  expect(stepOf(queue, [running, ...waiting.slice(1)]).do).toBe('wait');
  const step = stepOf(queue, [running, ...waiting]);
  expect([step.do, 'reason' in step && step.reason]).toStrictEqual(['skip', TickReason.TICK_REASON_QUEUE_FULL]);
});

test('a pause holds back the clock, not people; a run that may have been made is made', () => {
  expect(stepOf(skip, [], tick(), paused).do).toBe('skip');
  expect(stepOf(skip, [], tick({ origin: TickOrigin.TICK_ORIGIN_TRIGGER }), paused).do).toBe('prepare');
  expect(stepOf(skip, [], tick({ origin: TickOrigin.TICK_ORIGIN_BACKFILL }), paused).do).toBe('prepare');
  expect(stepOf(skip, [running], tick({ inputs: [{}] }), paused).do).toBe('fire');
});
