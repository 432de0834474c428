import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { Recipe as RecipeCodec } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { Obstacle, Preflight, RefusedShare, StageTime } from '@stic/api/gen/stic/runs/v1/runs.js';
import { ArtifactKind } from '@stic/api/gen/stic/common/v1/common.js';
import { EstimateRunRequest } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import type { StageEstimate } from '@stic/api/gen/stic/common/v1/common.js';
import { nodeOf } from '../model/graph.js';
import { DomainError } from '../platform/errors.js';
import { TrainerPool } from '../trainers/index.js';
import type { ResolvedInput } from './freeze.js';

/** Finished stages that a rate is taken from: the newest say most about the trainer as it is. */
const rateFrom = 5;

/** What is known of a run before it is queued: refused shares, and the trainer's estimate of lengths, memory and time. */
@Injectable()
export class Preflights {
  constructor(
    private readonly db: DataSource,
    private readonly trainers: TrainerPool,
  ) {}

  /** Without ``measured`` the refused shares alone: they cost nothing, while a trainer takes seconds to measure rows it has not seen. */
  async of(recipe: Recipe, inputs: readonly ResolvedInput[], { measured }: { measured: boolean }): Promise<Preflight> {
    const refused = refusedShares(recipe, inputs);
    const found = measured ? await this.estimate(recipe, inputs) : { estimate: undefined, unavailable: '' };
    const stages = found.estimate?.stages ?? [];
    const times = await Promise.all(stages.map((stage) => this.timeOf(recipe, stage)));
    const known = times.length > 0 && times.every(({ seconds }) => seconds >= 0);
    return {
      refused,
      ...found,
      times,
      seconds: known ? times.reduce((sum, { seconds }) => sum + seconds, 0) : -1,
      obstacles: [...refused.flatMap(tooManyRefused), ...stages.flatMap(nothingLeft)],
    };
  }

  private async estimate(recipe: Recipe, inputs: readonly ResolvedInput[]): Promise<Pick<Preflight, 'estimate' | 'unavailable'>> {
    const request = EstimateRunRequest.fromPartial({
      recipe: RecipeCodec.fromPartial({ ...recipe, retry: undefined, startFrom: undefined, gate: undefined }),
      inputs: inputs.map(({ role, benchmark, digest }) => ({
        role,
        name: benchmark,
        sha256: digest,
        kind: ArtifactKind.ARTIFACT_KIND_BLOB,
        metadata: {},
      })),
    });
    try {
      return { estimate: await this.trainers.estimateRun(request), unavailable: '' };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { estimate: undefined, unavailable: error.message };
    }
  }

  /** By the seconds a row of the same stage has taken on the same model; of training, a row and epoch. */
  private async timeOf(recipe: Recipe, { kind, rows }: StageEstimate): Promise<StageTime> {
    const word = nodeOf(kind).word;
    const epochs = word === 'dpo' || word === 'sft' ? (recipe[word]?.optimizer?.epochs ?? 1) : 1;
    const source = { prefer: 'images', dpo: 'images', evaluate: 'benchmark' }[word] ?? 'instructions';
    const limit = { prefer: 'prefer,max_images', dpo: 'prefer,max_images', evaluate: 'evaluate,max_items' }[word] ?? 'describe,max_rows';
    const [found] = await this.db.query<{ rate: number | null }[]>(
      `SELECT sum(seconds) / nullif(sum(rows), 0) AS rate FROM (
         SELECT extract(epoch FROM attempt.ended_at - attempt.started_at)::double precision AS seconds,
           (SELECT sum(CASE WHEN cap.most > 0 THEN least(items, cap.most) ELSE items END) FROM run_input WHERE run_id = run.id AND role = $3)
             * coalesce((run.recipe #>> ARRAY[$4, 'optimizer', 'epochs'])::integer, 1) AS rows
         FROM attempt JOIN stage ON stage.id = attempt.stage_id JOIN run ON run.id = stage.run_id
         CROSS JOIN LATERAL (SELECT coalesce((run.recipe #>> string_to_array($5, ','))::integer, 0) AS most) AS cap
         WHERE stage.kind = $1 AND run.recipe #>> '{model,digest}' = $2 AND attempt.state = 'JOB_STATE_SUCCEEDED'
           AND attempt.linked_from IS NULL AND attempt.number = 1
         ORDER BY attempt.ended_at DESC LIMIT ${rateFrom}) AS finished`,
      [kind, recipe.model?.digest ?? '', source, word, limit],
    );
    const rate = found?.rate ?? null;
    return { kind, seconds: rate === null ? -1 : rate * rows * epochs, unit: 'rows', units: rows };
  }
}

/** Shares refused at import, of the whole dataset as stages/skipped.py counts them. */
export function refusedShares(recipe: Recipe, inputs: readonly ResolvedInput[]): RefusedShare[] {
  return inputs.flatMap(({ role, items, skipped }) => {
    const stage = ({ images: 'prefer', instructions: 'describe' } as const)[role as 'images' | 'instructions'] as
      'prefer' | 'describe' | undefined;
    if (stage === undefined) return [];
    const share = skipped === 0 ? 0 : skipped / Math.max(1, items + skipped);
    return [
      { role, refused: skipped, items, share, allowed: recipe[stage]?.maxSkippedFraction ?? 0, field: `${stage}.max_skipped_fraction` },
    ];
  });
}

function tooManyRefused({ role, refused, items, share, allowed, field }: RefusedShare): Obstacle[] {
  if (share <= allowed) return [];
  const enough = Math.min(1, (Math.floor(share * 100) + 1) / 100);
  return [
    {
      field,
      message: `${refused} of ${items + refused} ${role} (${percent(share)}) were refused at import; the recipe allows ${percent(allowed)}.`,
      hint: `Look at the dataset's problems and mend them, or allow more with --set ${field}=${enough}.`,
    },
  ];
}

/** The sample is a part of the rows: only where it is all of them is it certain that none is left. */
function nothingLeft({ kind, rows, sampled, alwaysTooLong, limitField, limit, longestExcess }: StageEstimate): Obstacle[] {
  if (sampled === 0 || alwaysTooLong < sampled || sampled < rows) return [];
  const word = nodeOf(kind).word;
  const what = limitField === 'model' ? `the model takes ${limit}` : `${limitField} is ${limit}`;
  return [
    {
      field: limitField === 'model' ? 'model.path' : limitField,
      message: `All ${sampled} rows of stage ${word} are too long even without the generated text: up to ${longestExcess} tokens; ${what}.`,
      hint:
        limitField === 'model'
          ? 'Take a model with more positions, or smaller images.'
          : `Raise it with --set ${limitField}=${longestExcess * 2}.`,
    },
  ];
}

/** What a person should know of an estimate before the run starts. */
export function preflightWarnings({ estimate }: Preflight): string[] {
  if (!estimate) return [];
  const lost = estimate.stages.flatMap((stage) => rowsLost(stage));
  const [largest] = [...estimate.stages].sort((a, b) => Number(b.memoryBytes - a.memoryBytes));
  if (largest && estimate.memoryBytes > 0n && largest.memoryBytes > estimate.memoryBytes) {
    lost.push(
      `Stage ${nodeOf(largest.kind).word} needs up to ${gigabytes(largest.memoryBytes)} of memory; the trainer has ${gigabytes(estimate.memoryBytes)}.`,
    );
  }
  return lost;
}

function rowsLost({ kind, sampled, alwaysTooLong, limitField, limit }: StageEstimate): string[] {
  if (alwaysTooLong === 0) return [];
  const what = limitField === 'model' ? `the model takes ${limit} tokens` : `${limitField} is ${limit}`;
  return [`Stage ${nodeOf(kind).word} would leave out ${alwaysTooLong} of ${sampled} rows looked at as too long: ${what}.`];
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const gigabytes = (bytes: bigint): string => `${(Number(bytes) / 1e9).toFixed(1)} GB`;

/** The first thing that makes it certain that the run cannot succeed, as an error. */
export function refuseObstacle(obstacles: readonly Obstacle[]): void {
  const [first] = obstacles;
  if (first) throw new DomainError('FAILED_PRECONDITION', first.message, { field: first.field, hint: first.hint });
}
