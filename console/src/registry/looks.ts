import { GateState, MoveKind } from '@stic/api/gen/stic/registry/v1/registry.js';
import type { Look } from '../words';

const unknown: Look = { word: 'Unknown', color: 'gray', shape: 'none' };

const gateLooks: Partial<Record<GateState, Look>> = {
  [GateState.GATE_STATE_WAITING]: { word: 'Waiting for the evaluation', color: 'gray', shape: 'waiting' },
  [GateState.GATE_STATE_PENDING]: { word: 'Waits for approval', color: 'orange', shape: 'waiting' },
  [GateState.GATE_STATE_PROMOTED]: { word: 'Promoted', color: 'teal', shape: 'done' },
  [GateState.GATE_STATE_KEPT]: { word: 'Champion kept', color: 'gray', shape: 'stopped' },
  [GateState.GATE_STATE_REJECTED]: { word: 'Rejected', color: 'red', shape: 'stopped' },
  [GateState.GATE_STATE_ABANDONED]: { word: 'Not decided', color: 'gray', shape: 'none' },
};

const moveWords: Partial<Record<MoveKind, string>> = {
  [MoveKind.MOVE_KIND_PROMOTED]: 'promoted',
  [MoveKind.MOVE_KIND_SET]: 'set by hand',
  [MoveKind.MOVE_KIND_ROLLED_BACK]: 'rolled back',
};

export const gateLook = (state: GateState): Look => gateLooks[state] ?? unknown;
export const moveWord = (kind: MoveKind): string => moveWords[kind] ?? '';
