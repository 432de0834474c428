import { z } from 'zod';
import { type DatasetItem, DatasetItem as DatasetItemCodec } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';

const image = z.object({
  sha256: z.string(),
  thumbnail: z.string(),
  width: z.number().int(),
  height: z.number().int(),
  format: z.string(),
});
const imageRow = image.extend({ name: z.string() });
const imageContent = z.object({ sha256: z.string(), bytes: z.number().int() });
const instructionRow = z.object({
  name: z.string(),
  conversations: z.array(z.object({ from: z.string(), value: z.string() })),
  image: image.nullable(),
});
const benchmarkRow = z.object({ name: z.string(), prompt: z.string(), answer: z.string().nullish(), image });
const pairRow = z.object({ id: z.string(), prompt: z.string(), chosen: z.string(), rejected: z.string(), image });

/** Lines of a manifest before its first item: a benchmark's begins with what it is. */
export const headerLines = (kind: DatasetKind): number => (kind === DatasetKind.DATASET_KIND_BENCHMARK ? 1 : 0);

/** One line of a manifest (docs/reference/artifacts.md) as an item. */
export function readItem(kind: DatasetKind, line: string): DatasetItem {
  const row: unknown = JSON.parse(line);
  switch (kind) {
    case DatasetKind.DATASET_KIND_IMAGES: {
      const parsed = imageRow.parse(row);
      return item(parsed.name, parsed, []);
    }
    case DatasetKind.DATASET_KIND_INSTRUCTIONS: {
      const parsed = instructionRow.parse(row);
      const turns = parsed.conversations.map(({ from, value }) => ({ from, text: value }));
      return item(parsed.name, parsed.image, turns);
    }
    case DatasetKind.DATASET_KIND_BENCHMARK: {
      const parsed = benchmarkRow.parse(row);
      const answer = parsed.answer ? [{ from: 'gpt', text: parsed.answer }] : [];
      return item(parsed.name, parsed.image, [{ from: 'human', text: parsed.prompt }, ...answer]);
    }
    case DatasetKind.DATASET_KIND_PREFERENCES: {
      const { id, image: shown, prompt, chosen, rejected } = pairRow.parse(row);
      const turns = { human: prompt, chosen, rejected };
      return item(
        id,
        shown,
        Object.entries(turns).map(([from, text]) => ({ from, text })),
      );
    }
    case DatasetKind.DATASET_KIND_UNSPECIFIED:
    case DatasetKind.UNRECOGNIZED:
      throw new Error(`a dataset of kind ${kind} has no items`);
  }
}

/** What is in an image's line of a manifest of images, whatever its name. */
export const imageOf = (line: string): z.infer<typeof imageContent> => imageContent.parse(JSON.parse(line));

function item(name: string, of: z.infer<typeof image> | null, turns: DatasetItem['turns']): DatasetItem {
  return DatasetItemCodec.fromPartial({
    name,
    turns,
    ...(of && { imageSha256: of.sha256, thumbnailSha256: of.thumbnail, width: of.width, height: of.height, format: of.format }),
  });
}
