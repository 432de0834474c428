import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { DomainError } from '../../platform/errors.js';
import { nodeOf, plan } from '../../model/graph.js';
import { stagesAgain } from './retry.js';
import type { StageSoFar } from './retry.js';
import { ensure, fail } from '../../../../test/support/expect.js';

/** The stages of a whole run of which the first `succeeded` have succeeded. */
const after = (succeeded: number): StageSoFar[] =>
  plan(['images', 'instructions']).map(({ kind }, index) => ({
    kind,
    state:
      index < succeeded
        ? StageState.STAGE_STATE_SUCCEEDED
        : index === succeeded
          ? StageState.STAGE_STATE_FAILED
          : StageState.STAGE_STATE_SKIPPED,
  }));

const words = (succeeded: number, from: StageKind): string[] => stagesAgain(after(succeeded), from).map(({ kind }) => nodeOf(kind).word);

function refusal(succeeded: number, from: StageKind): DomainError {
  try {
    stagesAgain(after(succeeded), from);
  } catch (error) {
    ensure(error instanceof DomainError);
    return error;
  }
  return fail('it was accepted');
}

test('a retry goes on from the first stage that has not succeeded, unless told otherwise', () => {
  expect(words(4, StageKind.STAGE_KIND_UNSPECIFIED)).toStrictEqual(['sft', 'evaluate']);
  expect(words(4, StageKind.STAGE_KIND_SFT)).toStrictEqual(['sft', 'evaluate']);
  expect(words(4, StageKind.STAGE_KIND_DESCRIBE)).toStrictEqual(['describe', 'infuse', 'sft', 'evaluate']);
  expect(words(1, StageKind.STAGE_KIND_PREFER).length).toStrictEqual(6);
});

test('a stage whose inputs are not there yet is refused with the one to retry from', () => {
  const { code, field, hint, message } = refusal(1, StageKind.STAGE_KIND_SFT);
  expect([code, field, hint]).toStrictEqual(['FAILED_PRECONDITION', 'from_stage', 'Retry from dpo.']);
  expect(message).toMatch(/sft needs dpo/);
});

test('a checkpoint is never made a second time under the same name', () => {
  const { code, hint } = refusal(3, StageKind.STAGE_KIND_PREFER);
  expect(code).toBe('FAILED_PRECONDITION');
  expect(hint ?? '').toMatch(/Retry from describe or later, or fork/);
  expect(refusal(5, StageKind.STAGE_KIND_SFT).code).toBe('FAILED_PRECONDITION');
});

test('a stage that the run does not have is refused with those it has', () => {
  const short = after(1).filter(({ kind }) => kind !== StageKind.STAGE_KIND_INFUSE);
  expect(() => stagesAgain(short, StageKind.STAGE_KIND_INFUSE)).toThrow(/it has prefer, dpo, describe, sft, evaluate/);
});
