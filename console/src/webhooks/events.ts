import { DeliveryState } from '@stic/api/gen/stic/webhooks/v1/webhooks.js';
import type { Look } from '../words';

/** What an endpoint can ask to be told, and when it is. */
export const eventTypes: [type: string, when: string][] = [
  ['run.succeeded', 'a run has ended well'],
  ['run.failed', 'a run has failed'],
  ['checkpoint.promoted', 'a gate has promoted a checkpoint'],
  ['checkpoint.kept', 'a gate has kept the champion'],
  ['approval.needed', 'a candidate waits for a person'],
  ['schedule.paused', 'a schedule has paused itself'],
];

const looks: Partial<Record<DeliveryState, Look>> = {
  [DeliveryState.DELIVERY_STATE_PENDING]: { word: 'Pending', color: 'blue', shape: 'waiting' },
  [DeliveryState.DELIVERY_STATE_DELIVERED]: { word: 'Delivered', color: 'teal', shape: 'done' },
  [DeliveryState.DELIVERY_STATE_FAILED]: { word: 'Failed', color: 'red', shape: 'failed' },
};

export const deliveryLook = (state: DeliveryState): Look => looks[state] ?? { word: 'Unknown', color: 'gray', shape: 'none' };
