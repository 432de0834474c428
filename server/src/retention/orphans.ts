import { randomUUID } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { EntityManager } from 'typeorm';
import { MergedState } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { type Orphan, OrphanKind } from '@stic/api/gen/stic/retention/v1/retention.js';
import type { ArtifactStore } from '../platform/storage/artifact-store.js';
import { blobsInUse, treesInUse } from './references.js';

/** What is removed waits here under another name, so that a crash leaves nothing half removed under its own. */
const LEAVING = 'tmp/leaving-';

/**
 * Files that are younger may be wanted by a row that is still to come. Neither a run, an import nor an export says what it has written before
 * it has done so, and a run that has failed may be retried: the oldest of those under way, or that ended lately, is the limit.
 */
export async function youngest(manager: EntityManager, hours: number): Promise<Date> {
  const [row] = await manager.query<{ before: Date }[]>(
    `SELECT least(now() - age.hours,
       (SELECT min(created_at) FROM run WHERE ended_at IS NULL OR ended_at > now() - age.hours),
       (SELECT min(created_at) FROM dataset_version WHERE state = $2),
       (SELECT min(created_at) FROM merged_export WHERE state = $3)) AS before
     FROM (SELECT $1 * interval '1 hour' AS hours) AS age`,
    [hours, VersionState.VERSION_STATE_IMPORTING, MergedState.MERGED_STATE_RUNNING],
  );
  return row?.before ?? new Date(0);
}

/** What lies in the store since before the moment and is named by nothing, the largest first. */
export async function findOrphans(manager: EntityManager, store: ArtifactStore, before: Date): Promise<Orphan[]> {
  const found: Orphan[] = [];
  const add = async (kind: OrphanKind, name: string): Promise<void> => {
    const entry = await sizeOf(path.join(store.root, name)).catch(() => undefined);
    if (entry && entry.modifiedAt < before) found.push({ kind, path: name, ...entry });
  };
  // Listed before the rows are read: what a row comes to name meanwhile is found named.
  const [blobs, trees, drafts] = [await blobsOf(store), await namesIn(store, 'trees'), await namesIn(store, 'tmp')];
  const [usedBlobs, usedTrees] = [await blobsInUse(manager, store), await treesInUse(manager)];
  for (const name of blobs) if (!usedBlobs.has(path.basename(name))) await add(OrphanKind.ORPHAN_KIND_BLOB, name);
  for (const name of trees) if (!usedTrees.has(path.basename(name))) await add(OrphanKind.ORPHAN_KIND_TREE, name);
  for (const name of drafts) await add(OrphanKind.ORPHAN_KIND_TEMPORARY, name);
  return found.sort((a, b) => Number(b.bytes - a.bytes));
}

/**
 * Removes a file or folder of the store unless somebody has found it in use since `before`. A writer that comes upon the content
 * renews its time; one that comes too late finds nothing and writes it again.
 */
export async function removeUnlessRenewed(store: ArtifactStore, name: string, before: Date): Promise<boolean> {
  const aside = path.join(store.root, `${LEAVING}${randomUUID()}`);
  const here = path.join(store.root, name);
  try {
    await rename(here, aside);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
  if ((await lstat(aside)).mtime >= before) {
    await rename(aside, here);
    return false;
  }
  await rm(aside, { recursive: true, force: true });
  return true;
}

async function blobsOf(store: ArtifactStore): Promise<string[]> {
  const folders = await namesIn(store, 'blobs');
  return (await Promise.all(folders.map((folder) => namesIn(store, folder)))).flat();
}

const namesIn = async (store: ArtifactStore, folder: string): Promise<string[]> =>
  (await readdir(path.join(store.root, folder))).map((name) => `${folder}/${name}`);

async function sizeOf(file: string): Promise<{ bytes: bigint; modifiedAt: Date }> {
  const own = await lstat(file);
  if (!own.isDirectory()) return { bytes: BigInt(own.size), modifiedAt: own.mtime };
  const below = await readdir(file, { recursive: true, withFileTypes: true });
  const files = below.filter((entry) => entry.isFile()).map((entry) => lstat(path.join(entry.parentPath, entry.name)));
  const bytes = (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0);
  return { bytes: BigInt(bytes), modifiedAt: own.mtime };
}
