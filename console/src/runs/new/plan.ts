import { count, counted } from '../../format';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { Run } from '@stic/api/gen/stic/runs/v1/runs.js';

const limited = (all: number, limit: number): number => (limit === 0 ? all : Math.min(all, limit));

/** How much work a stage of this run is, in words. Skipped items make it less. */
export function stageWork(run: Run, kind: StageKind): string {
  const { recipe, inputs } = run;
  const items = (role: string): number => inputs.filter((input) => input.role === role).reduce((sum, input) => sum + input.items, 0);
  const images = limited(items('images'), recipe?.prefer?.maxImages ?? 0);
  const rows = limited(items('instructions'), recipe?.describe?.maxRows ?? 0);
  switch (kind) {
    case StageKind.STAGE_KIND_PREFER:
      return `${counted(images, 'image')}${images < items('images') ? ` of ${count(items('images'))}` : ''}`;
    case StageKind.STAGE_KIND_DPO:
      return steps(items('preferences') || images, 'pair', recipe?.dpo?.optimizer);
    case StageKind.STAGE_KIND_DESCRIBE:
    case StageKind.STAGE_KIND_INFUSE:
      return counted(rows, 'row');
    case StageKind.STAGE_KIND_SFT:
      return steps(rows, 'row', recipe?.sft?.optimizer);
    case StageKind.STAGE_KIND_EVALUATE:
      return evaluation(run);
    default:
      return '';
  }
}

function steps(items: number, unit: string, optimizer: { batchSize: number; epochs: number } | undefined): string {
  if (!optimizer || optimizer.batchSize === 0) return counted(items, unit);
  const total = Math.ceil(items / optimizer.batchSize) * optimizer.epochs;
  return `up to ${counted(items, unit)}, ${counted(optimizer.epochs, 'epoch')}, ${counted(total, 'step')}`;
}

function evaluation({ recipe, inputs }: Run): string {
  const benchmarks = inputs.filter((input) => input.role === 'benchmark');
  const items = benchmarks.reduce((sum, input) => sum + limited(input.items, recipe?.evaluate?.maxItems ?? 0), 0);
  const compared = benchmarks.length > 0 ? `${counted(items, 'item')} of ${counted(benchmarks.length, 'benchmark')}, ` : '';
  return `${compared}${counted(recipe?.evaluate?.sampleImages ?? 0, 'sample image')}`;
}
