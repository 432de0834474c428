import type { DataSource } from 'typeorm';
import { VersionState } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { type ScheduleInput, type ScheduleSpec, TickState } from '@stic/api/gen/stic/schedules/v1/schedules.js';
import type { DatasetAdditions, DatasetsService } from '../../datasets/index.js';
import { DomainError } from '../../platform/errors.js';
import { TickEntity } from '../schedule.entity.js';

export type Prepared =
  /** The versions the run is made of, and the whole version of the images among them. */
  | { readonly is: 'ready'; readonly inputs: NonNullable<TickEntity['inputs']>; readonly seenVersionId: string | null }
  | { readonly is: 'importing'; readonly message: string }
  | { readonly is: 'tooFew'; readonly message: string };

type Tools = { readonly db: DataSource; readonly datasets: DatasetsService; readonly additions: DatasetAdditions };

/**
 * The dataset versions a tick's run is made of, after the imports it asks for. Asked again it goes on where it was. What a person
 * has to mend is thrown as a DomainError.
 */
export async function prepare(tools: Tools, tick: TickEntity, spec: ScheduleSpec): Promise<Prepared> {
  for (const input of spec.inputs.filter(({ refresh }) => refresh)) {
    const message = await refreshed(tools.datasets, tick, input);
    if (message !== undefined) return { is: 'importing', message };
  }
  const inputs: NonNullable<TickEntity['inputs']> = [];
  let seenVersionId: string | null = null;
  for (const { role, datasetId, onlyNew, minimumItems } of spec.inputs) {
    let version = await tools.datasets.readyVersion(datasetId);
    if (role === 'images') seenVersionId = version.versionId;
    if (onlyNew) {
      const last = await lastSuccess(tools.db, tick.scheduleId);
      const additions = await tools.additions.since(last?.seenVersionId ?? null, version, minimumItems);
      if (!additions.version) return { is: 'tooFew', message: tooFew(additions.items, minimumItems, version.datasetName, last) };
      version = additions.version;
    }
    inputs.push({ role, datasetId, versionId: version.versionId });
  }
  return { is: 'ready', inputs, seenVersionId };
}

/** Why the import of the dataset's source is to be waited for; undefined when it is done. */
async function refreshed(datasets: DatasetsService, tick: TickEntity, { datasetId }: ScheduleInput): Promise<string | undefined> {
  const { name, latest } = await datasets.refresh({ datasetId, requestId: `tick/${tick.id}/${datasetId}` });
  if (latest?.state === VersionState.VERSION_STATE_IMPORTING)
    return `Waits for the import of "${name}".${latest.error && ` ${latest.error}`}`;
  if (latest?.state !== VersionState.VERSION_STATE_FAILED) return undefined;
  throw new DomainError('FAILED_PRECONDITION', `The source of "${name}" could not be imported: ${latest.error}`);
}

function lastSuccess(db: DataSource, scheduleId: string): Promise<TickEntity | null> {
  return db.manager.findOne(TickEntity, {
    where: { scheduleId, state: TickState.TICK_STATE_SUCCEEDED },
    order: { firedAt: 'DESC' },
  });
}

function tooFew(items: number, minimum: number, name: string, last: TickEntity | null): string {
  const since = last ? `since the success of ${last.nominalAt.toISOString()}` : 'so far';
  const added =
    items === 0 ? `Nothing has been added to "${name}"` : `${items} ${items === 1 ? 'image has' : 'images have'} been added to "${name}"`;
  return `${added} ${since}; this schedule asks for at least ${minimum}.`;
}
