/** What an endpoint can ask to be told, and when it is. */
export const eventTypes: [type: string, when: string][] = [
  ['run.succeeded', 'a run has ended well'],
  ['run.failed', 'a run has failed'],
  ['checkpoint.promoted', 'a gate has promoted a checkpoint'],
  ['checkpoint.kept', 'a gate has kept the champion'],
  ['approval.needed', 'a candidate waits for a person'],
  ['schedule.paused', 'a schedule has paused itself'],
];
