import type { EntityManager } from 'typeorm';
import { VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { ArtifactKind } from '@stic/api/gen/stic/common/v1/common.js';
import type { ArtifactStore } from '../platform/storage/artifact-store.js';

const DIGEST = /"([0-9a-f]{64})"/g;

/** Digests of the trees that a checkpoint which is there, its merged exports, or an attempt, has made. A deleted checkpoint holds its tree no longer. */
export async function treesInUse(manager: EntityManager): Promise<Set<string>> {
  return digests(
    manager,
    `SELECT adapter_sha256 AS digest FROM checkpoint WHERE deleted_at IS NULL
     UNION
     SELECT sha256 FROM merged_export JOIN checkpoint ON checkpoint.id = checkpoint_id WHERE deleted_at IS NULL
     UNION
     SELECT sha256 FROM artifact WHERE kind = $1 AND NOT EXISTS (
       SELECT FROM checkpoint JOIN attempt ON attempt.id = checkpoint.attempt_id
       WHERE attempt.stage_id = artifact.stage_id AND adapter_sha256 = sha256 AND deleted_at IS NOT NULL)`,
    [ArtifactKind.ARTIFACT_KIND_TREE],
  );
}

/** Digests of the blobs that rows name, and of all that is named within those: the images of a manifest, of pairs, of descriptions. */
export async function blobsInUse(manager: EntityManager, store: ArtifactStore): Promise<Set<string>> {
  const lists = await digests(
    manager,
    `SELECT digest FROM dataset_version WHERE state = $1
     UNION SELECT digest FROM run_input
     UNION SELECT sha256 FROM artifact WHERE kind <> $2`,
    [VersionState.VERSION_STATE_READY, ArtifactKind.ARTIFACT_KIND_TREE],
  );
  const used = await digests(manager, 'SELECT DISTINCT image_sha256 AS digest FROM sample WHERE image_sha256 <> $1', ['']);
  for (const list of lists) {
    used.add(list);
    if (!(await store.hasBlob(list))) continue;
    for await (const line of store.lines(list)) for (const [, digest] of line.matchAll(DIGEST)) if (digest) used.add(digest);
  }
  return used;
}

async function digests(manager: EntityManager, sql: string, parameters: unknown[]): Promise<Set<string>> {
  const rows = await manager.query<{ digest: string }[]>(sql, parameters);
  return new Set(rows.map(({ digest }) => digest));
}
