import { TickReason, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import { tickOutcome } from './outcome.js';

const ofRun = 'Kept the base model: nothing was measured.';
const tick = (state: TickState, reason = TickReason.TICK_REASON_UNSPECIFIED, message = ''): Parameters<typeof tickOutcome>[0] => ({
  ...{ state, reason, message },
});

test('what came of a tick is what came of its run, or why it did not fire', () => {
  const { TICK_STATE_WAITING, TICK_STATE_RUNNING, TICK_STATE_SUCCEEDED, TICK_STATE_FAILED, TICK_STATE_CANCELLED, TICK_STATE_SKIPPED } =
    TickState;
  const few = 'Nothing has been added to "inbox" so far; this schedule asks for at least 20.';
  const cases: [Parameters<typeof tickOutcome>[0], string, string][] = [
    [tick(TICK_STATE_WAITING), '', ''],
    [tick(TICK_STATE_RUNNING), '', ''],
    [tick(TICK_STATE_SUCCEEDED), ofRun, ofRun],
    [tick(TICK_STATE_SKIPPED, TickReason.TICK_REASON_TOO_FEW_IMAGES, few), '', `Skipped: n${few.slice(1)}`],
    [
      tick(TICK_STATE_SKIPPED, TickReason.TICK_REASON_OVERLAP, 'Skipped: the fire of … still waits.'),
      '',
      'Skipped: the fire of … still waits.',
    ],
    [tick(TICK_STATE_FAILED, TickReason.TICK_REASON_REFUSED, 'No such dataset.'), '', 'Could not start: No such dataset.'],
    [tick(TICK_STATE_FAILED, TickReason.TICK_REASON_RUN_FAILED, 'The run failed: x.'), 'Failed in dpo: x (X).', 'Failed in dpo: x (X).'],
    [tick(TICK_STATE_FAILED, TickReason.TICK_REASON_RUN_FAILED, 'The run failed: x.'), '', 'The run failed: x.'],
    [tick(TICK_STATE_FAILED, TickReason.TICK_REASON_DEADLINE, 'Cancelled: too late.'), 'Cancelled in dpo.', 'Cancelled: too late.'],
    [tick(TICK_STATE_CANCELLED, TickReason.TICK_REASON_RUN_CANCELLED, 'The run was cancelled.'), 'Cancelled in dpo.', 'Cancelled in dpo.'],
  ];
  for (const [given, run, sentence] of cases) expect(tickOutcome(given, run), `${given.state} ${given.reason}`).toBe(sentence);
});
