import { Pair } from '@stic/api/gen/stic/runs/v1/runs.js';

/** A line of the pairs blob, as the trainer writes it. */
export function readPair(line: string): Pair {
  const row = JSON.parse(line) as {
    image: { name: string; sha256: string };
    corrupted_image: string | null;
  } & Record<string, unknown>;
  const pair = Pair.fromJSON(row);
  return { ...pair, imageSha256: row.image.sha256, imageName: row.image.name, corruptedImageSha256: row.corrupted_image ?? '' };
}
