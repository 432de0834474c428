import { createHash } from 'node:crypto';
import path from 'node:path';
import { type Dataset, VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import type { RunInput } from '@stic/api/gen/stic/runs/v1/runs.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { CliError } from './cli-error.js';
import { type Clients, newRequestId, requestIdFor } from './clients.js';
import { bar, barCells } from './progress.js';
import { dim, LiveArea, print, say, width } from './terminal.js';
import { columnsOf, prose, shown } from './text.js';

/** A source to register: what it is called, its kind and where it lies. */
export type Source = {
  role: keyof typeof KINDS;
  name: string;
  path: string;
  imageRoot: string;
  imageList: string;
  fixed: boolean;
};

const KINDS = {
  images: DatasetKind.DATASET_KIND_IMAGES,
  instructions: DatasetKind.DATASET_KIND_INSTRUCTIONS,
  benchmark: DatasetKind.DATASET_KIND_BENCHMARK,
  preferences: DatasetKind.DATASET_KIND_PREFERENCES,
} as const;
const PROBLEMS_SHOWN = 5;

/** A person's own folder or file. The name tells two folders of one name apart by their paths. */
export function ownSource(role: Source['role'], source: string, { imageRoot = '', imageList = '' } = {}): Source {
  const parts = [source, imageRoot, ...(imageList === '' ? [] : [imageList])];
  const mark = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 4);
  return { role, name: `${path.basename(source)}-${mark}`, path: source, imageRoot, imageList, fixed: false };
}

/** Registers the sources, waits until each is imported and says what was refused. Throws a CliError when one cannot be used. */
export async function registerInputs(clients: Clients, sources: Source[]): Promise<RunInput[]> {
  const inputs: RunInput[] = [];
  for (const source of sources) inputs.push(await register(clients, source));
  return inputs;
}

async function register(clients: Clients, source: Source): Promise<RunInput> {
  const dataset = await imported(clients, await current(clients, source));
  const version = dataset.latest;
  if (version === undefined || version.state !== VersionState.VERSION_STATE_READY) {
    await showProblems(clients, dataset);
    throw new CliError(
      `${source.role} ${shown(source.path, 200)} could not be imported: ${prose(version?.error ?? 'no version')}`,
      hintFor(version?.errorCode ?? ''),
    );
  }
  const counts = [
    `${version.items} items`,
    ...(version.skipped > 0 ? [`${version.skipped} refused`] : []),
    ...(version.duplicates > 0 ? [`${version.duplicates} with the content of another`] : []),
    ...(version.repeats > 0 ? [`${version.repeats} repeats in the list`] : []),
  ].join(', ');
  const revision = `, version ${version.digest.slice(0, 12)}`;
  const room = width() - 19 - counts.length;
  print(
    `  ✓ ${source.role.padEnd(12)} ${shown(dataset.name, Math.max(12, room))}  ${dim(counts + (room - columnsOf(dataset.name) > revision.length ? revision : ''))}`,
  );
  if (version.skipped > 0) await showProblems(clients, dataset);
  return {
    role: source.role,
    datasetId: dataset.id,
    datasetName: dataset.name,
    versionId: version.id,
    digest: version.digest,
    items: version.items,
    skipped: version.skipped,
  };
}

/** The dataset of a source, made when it is new; a source that may have changed is read again. */
async function current(clients: Clients, source: Source): Promise<Dataset> {
  const request = {
    requestId: requestIdFor(
      'demo dataset',
      source.role,
      source.path,
      source.imageRoot,
      ...(source.imageList === '' ? [] : [source.imageList]),
    ),
    name: source.name,
    kind: KINDS[source.role],
    source: source.path,
    imageRoot: source.imageRoot,
    imageList: source.imageList,
  };
  const dataset = await clients.datasets.createDataset(request);
  const state = dataset.latest?.state;
  const stale = state === VersionState.VERSION_STATE_FAILED || (state === VersionState.VERSION_STATE_READY && !source.fixed);
  if (!stale) return dataset;
  return clients.datasets.refreshDataset({ requestId: newRequestId(), datasetId: dataset.id });
}

async function imported(clients: Clients, dataset: Dataset): Promise<Dataset> {
  const area = new LiveArea();
  let latest = dataset;
  for await (const next of clients.datasets.watchDataset({ datasetId: dataset.id })) {
    latest = next;
    const { done = 0, total = 0 } = next.latest ?? {};
    const count = `${done}${total > 0 ? `/${total}` : ''} files`;
    const cells = barCells(width());
    area.draw([`  … ${shown(next.name, width() - cells - count.length - 8)} ${bar(done, total, cells)} ${count}`]);
  }
  area.draw([]);
  return latest;
}

async function showProblems(clients: Clients, dataset: Dataset): Promise<void> {
  const { problems } = await clients.datasets.listDatasetProblems({
    datasetId: dataset.id,
    versionId: '',
    pageSize: PROBLEMS_SHOWN,
    pageToken: '',
  });
  for (const { name, code, reason } of problems) say(`${shown(name)}: ${prose(reason)} ${dim(code)}`, '      ');
  const more = (dataset.latest?.skipped ?? 0) - problems.length;
  if (more > 0) say(dim(`and ${more} more; the console lists them all`), '      ');
}

function hintFor(code: string): string {
  return code === 'DISK_FULL'
    ? 'Free disk space in the state folder and run the command again.'
    : 'Correct the source and run the command again; nothing was lost.';
}
