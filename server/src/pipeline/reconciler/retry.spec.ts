import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { DomainError } from '../../platform/errors.js';
import { nodeOf, plan } from '../../model/graph.js';
import { stagesAgain } from './retry.js';
import type { StageSoFar } from './retry.js';

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
    assert.ok(error instanceof DomainError);
    return error;
  }
  return assert.fail('it was accepted');
}

test('a retry goes on from the first stage that has not succeeded, unless told otherwise', () => {
  assert.deepEqual(words(4, StageKind.STAGE_KIND_UNSPECIFIED), ['sft', 'evaluate']);
  assert.deepEqual(words(4, StageKind.STAGE_KIND_SFT), ['sft', 'evaluate']);
  assert.deepEqual(words(4, StageKind.STAGE_KIND_DESCRIBE), ['describe', 'infuse', 'sft', 'evaluate']);
  assert.deepEqual(words(1, StageKind.STAGE_KIND_PREFER).length, 6);
});

test('a stage whose inputs are not there yet is refused with the one to retry from', () => {
  const { code, field, hint, message } = refusal(1, StageKind.STAGE_KIND_SFT);
  assert.deepEqual([code, field, hint], ['FAILED_PRECONDITION', 'from_stage', 'Retry from dpo.']);
  assert.match(message, /sft needs dpo/);
});

test('a checkpoint is never made a second time under the same name', () => {
  const { code, hint } = refusal(3, StageKind.STAGE_KIND_PREFER);
  assert.equal(code, 'FAILED_PRECONDITION');
  assert.match(hint ?? '', /Retry from describe or later, or fork/);
  assert.equal(refusal(5, StageKind.STAGE_KIND_SFT).code, 'FAILED_PRECONDITION');
});

test('a stage that the run does not have is refused with those it has', () => {
  const short = after(1).filter(({ kind }) => kind !== StageKind.STAGE_KIND_INFUSE);
  assert.throws(() => stagesAgain(short, StageKind.STAGE_KIND_INFUSE), /it has prefer, dpo, describe, sft, evaluate/);
});
