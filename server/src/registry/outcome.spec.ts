import { type BenchmarkVerdict, GateState } from '@stic/api/gen/stic/registry/v1/registry.js';
import { gateOutcome, type GateView } from './outcome.js';

const benchmark = (name: string, gain: number, low: number, high: number, tooBad = false): BenchmarkVerdict => ({
  ...{ benchmark: name, metric: 'object_f1', higherIsBetter: true, n: 100, champion: 50, candidate: 50 + gain },
  ...{ gain, low, high, tooBad },
});

const gate = (state: GateState, benchmarks: BenchmarkVerdict[], over: Partial<GateView> = {}): GateView => ({
  ...{ state, benchmarks, alias: 'champion', championId: 'c', championRunName: 'night-11', meanGain: 1, reasons: [], comment: '' },
  ...{ config: { maxDrop: 1 }, candidate: 'stage2 of night-12' },
  ...over,
});

const { GATE_STATE_PROMOTED, GATE_STATE_KEPT, GATE_STATE_PENDING, GATE_STATE_REJECTED, GATE_STATE_ABANDONED, GATE_STATE_WAITING } =
  GateState;
const good = benchmark('descriptions', 4.1, 2, 6.3);
const flat = benchmark('questions', 0.2, -1, 1.4);

test('promoted: what gained most, and whether anything lost', () => {
  expect(gateOutcome(gate(GATE_STATE_PROMOTED, [flat, good]))).toBe(
    'Promoted stage2 of night-12 to champion: descriptions object f1 +4.1 [+2.0, +6.3] against the champion of night-11, nothing worse.',
  );
  const many = [good, benchmark('b', 9, 7, 11), benchmark('c', 1, 0.5, 1.5), benchmark('d', -0.5, -0.9, -0.1)];
  expect(gateOutcome(gate(GATE_STATE_PROMOTED, many, { championId: null }))).toBe(
    'Promoted stage2 of night-12 to champion: b object f1 +9.0 [+7.0, +11.0], descriptions object f1 +4.1 [+2.0, +6.3] and 1 more ' +
      'against the base model, worse, but no more than allowed: d object f1 -0.5 [-0.9, -0.1].',
  );
  expect(gateOutcome(gate(GATE_STATE_PROMOTED, [flat], { meanGain: 0.2 })) ?? '').toMatch(
    /nothing clearly better, mean gain \+0\.2 against/,
  );
});

test('kept: the drop with its interval, or the reason of the rule', () => {
  const bad = benchmark('questions', -3.2, -5, -1.4, true);
  const reasons = ['Kept: on questions the candidate is worse …', 'Kept: the mean gain is …'];
  expect(gateOutcome(gate(GATE_STATE_KEPT, [good, bad], { reasons }))).toBe(
    'Kept the champion of night-11: questions object f1 -3.2 [-5.0, -1.4], more than the 1.0 allowed.',
  );
  const little = ['Kept: the mean gain is +0.2 points; at least +0.5 is asked for.'];
  expect(gateOutcome(gate(GATE_STATE_KEPT, [flat], { reasons: little, championId: null }))).toBe(
    'Kept the base model: the mean gain is +0.2 points; at least +0.5 is asked for.',
  );
});

test('what waits for a person, and what a person has said', () => {
  expect(gateOutcome(gate(GATE_STATE_PENDING, [good]))).toBe(
    'Waits for approval: stage2 of night-12 as champion; descriptions object f1 +4.1 [+2.0, +6.3] against the champion of night-11, nothing worse.',
  );
  expect(gateOutcome(gate(GATE_STATE_REJECTED, [good], { comment: 'too wordy' })) ?? '').toMatch(
    /^Kept the champion of night-11: stage2 of night-12 was rejected by hand \(too wordy\); descriptions/,
  );
});

test('a gate that has come to nothing says nothing', () => {
  for (const state of [GATE_STATE_WAITING, GATE_STATE_ABANDONED]) expect(gateOutcome(gate(state, [good]))).toBeUndefined();
});
