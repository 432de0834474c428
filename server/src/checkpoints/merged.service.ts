import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  type ExportMergedRequest,
  type GetMergedExportRequest,
  type MergedExport,
  MergedState,
} from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { MergedExportEntity } from '../model/index.js';
import { DomainError, invalid, notFound } from '../platform/errors.js';
import { shown } from '../platform/printable.js';
import { ArtifactStore } from '../platform/storage/artifact-store.js';
import { Changes } from '../platform/database/watch.js';
import { CheckpointsService } from './checkpoints.service.js';

/** Notified when there may be something to export. */
export const EXPORTS_TOPIC = 'exports';

const DTYPES = ['', 'float32', 'bfloat16', 'float16'];

/** Merged exports as rows: starting one writes it down for MergedExporter, so that it survives caller and server. */
@Injectable()
export class MergedExports {
  constructor(
    private readonly db: DataSource,
    private readonly changes: Changes,
    private readonly checkpoints: CheckpointsService,
    private readonly store: ArtifactStore,
  ) {}

  /** Idempotent by checkpoint and dtype; one that failed, or whose files are gone, starts again. */
  async start({ checkpointId, dtype }: ExportMergedRequest): Promise<MergedExport> {
    checkDtype(dtype);
    const checkpoint = await this.checkpoints.get({ checkpointId });
    if (checkpoint.deletedAt) throw new DomainError('FAILED_PRECONDITION', 'The files of this checkpoint have been deleted.');
    const key = { checkpointId, dtype };
    const running = { ...key, state: MergedState.MERGED_STATE_RUNNING, createdAt: new Date() };
    await this.db.transaction(async (manager) => {
      await manager.createQueryBuilder().insert().into(MergedExportEntity).values(running).orIgnore().execute();
      const row = await manager.findOneOrFail(MergedExportEntity, { where: key, lock: { mode: 'pessimistic_write' } });
      const gone = row.state === MergedState.MERGED_STATE_READY && !(await this.store.hasTree(row.sha256));
      if (gone || row.state === MergedState.MERGED_STATE_FAILED) {
        const fresh = { phase: '', done: 0, total: 0, errorCode: '', error: '', sha256: '', leaseOwner: null, leaseExpiresAt: null };
        await manager.update(MergedExportEntity, key, { ...running, ...fresh });
      }
      await this.changes.notify(manager, EXPORTS_TOPIC);
    });
    return this.get(key);
  }

  async get({ checkpointId, dtype }: GetMergedExportRequest): Promise<MergedExport> {
    checkDtype(dtype);
    const { deletedAt } = await this.checkpoints.get({ checkpointId });
    const row = await this.db.manager.findOneBy(MergedExportEntity, { checkpointId, dtype });
    if (!row || deletedAt) throw notFound('There is no merged export of this checkpoint in this dtype.', 'checkpoint_id');
    const { state, phase, done, total, errorCode, error, sha256, storedDtype, largestDifference, effect, createdAt } = row;
    const made = { sha256, bytes: BigInt(row.bytes), storedDtype, largestDifference, effect };
    return { checkpointId, dtype, state, phase, done, total, errorCode, error, ...made, createdAt };
  }
}

function checkDtype(dtype: string): void {
  if (!DTYPES.includes(dtype)) {
    throw invalid('dtype', `dtype ${shown(dtype)} is not float32, bfloat16 or float16.`, "Leave it out to keep the base model's.");
  }
}
