import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { MergedState } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { ModelSpec } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { ExportCheckpointRequest, ExportResult } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { CheckpointEntity, EvaluationEntity, MergedExportEntity, RunEntity, RunInputEntity } from '../model/index.js';
import { leaseIsOver } from '../platform/database/lease.js';
import { DomainError, messageOf } from '../platform/errors.js';
import { Faults } from '../platform/faults.js';
import { Bell, monotonicMs, pause } from '../platform/timing.js';
import { Changes } from '../platform/database/watch.js';
import { TrainerPool } from '../trainers/index.js';
import { EXPORTS_TOPIC } from './merged.service.js';

const LEASE_SECONDS = 10;
const RENEW_MS = 3_000;
const RETRY_SECONDS = 2;
const MOST_TRIES = 5;
const POLL_MS = 2_000;
const PROGRESS_MS = 500;

/** A row this process may export; another one can take it over only once the lease has run out. */
type Claim = { checkpointId: string; dtype: string; epoch: number };
type Change = Partial<Pick<MergedExportEntity, 'phase' | 'done' | 'total' | 'state' | 'errorCode' | 'error'>>;

/**
 * Exports every RUNNING row through a trainer, one at a time: a merge takes the memory of a whole model. What is to be done stands in
 * the database alone; after a restart the export is run again and makes the same tree.
 */
@Injectable()
export class MergedExporter implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Exports');
  private readonly owner = randomUUID();
  private readonly stopping = new AbortController();
  private readonly faults = new Faults(this.logger, this.stopping.signal);
  private readonly bell = new Bell();
  private loop: Promise<void> | undefined;

  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly changes: Changes,
    private readonly trainers: TrainerPool,
  ) {}

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  /** Before the database goes. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const unsubscribe = this.changes.subscribe(EXPORTS_TOPIC, this.bell.ring);
    while (!signal.aborted) {
      await this.faults.during(this.exportNext());
      await this.bell.wait(POLL_MS, signal);
    }
    unsubscribe();
  }

  private async exportNext(): Promise<void> {
    const claim = await this.claim();
    if (claim) await this.export(claim);
  }

  private async claim(): Promise<Claim | undefined> {
    const [rows] = await this.database.query<[{ checkpoint_id: string; dtype: string; epoch: number }[], number]>(
      `UPDATE merged_export SET lease_owner = $1, lease_expires_at = now() + $2 * interval '1 second', epoch = epoch + 1
        WHERE (checkpoint_id, dtype) = (SELECT checkpoint_id, dtype FROM merged_export
                 WHERE state = $3 AND ${leaseIsOver('lease_expires_at', LEASE_SECONDS * 1_000)}
                 ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING checkpoint_id, dtype, epoch`,
      [this.owner, LEASE_SECONDS, MergedState.MERGED_STATE_RUNNING],
    );
    const [row] = rows;
    return row && { checkpointId: row.checkpoint_id, dtype: row.dtype, epoch: row.epoch };
  }

  private async export(claim: Claim): Promise<void> {
    const lost = new AbortController();
    const done = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, lost.signal]);
    const renewing = this.renew(claim, AbortSignal.any([signal, done.signal]), lost);
    try {
      const result = await this.receive(claim, signal);
      if (signal.aborted) await this.release(claim, 0);
      else if (result) await this.finish(claim, result);
      else throw new DomainError('UNAVAILABLE', 'The trainer ended the export without a result.');
    } catch (error) {
      await this.fail(claim, error).catch((reason: unknown) => this.logger.warn(`cannot record a failed export: ${messageOf(reason)}`));
    } finally {
      done.abort();
      await renewing;
    }
  }

  private async receive(claim: Claim, signal: AbortSignal): Promise<ExportResult | undefined> {
    let result: ExportResult | undefined;
    let shown = { at: -Infinity, phase: '' };
    for await (const { event } of this.trainers.exportCheckpoint(await this.request(claim), signal)) {
      if (event?.$case === 'result') result = event.value;
      if (event?.$case !== 'progress') continue;
      const { phase, done, total } = event.value;
      if (phase === shown.phase && monotonicMs() - shown.at < PROGRESS_MS) continue;
      shown = { at: monotonicMs(), phase };
      await this.write(claim, { phase, done, total, errorCode: '', error: '' });
    }
    return result;
  }

  /** What the trainer needs, and what the model card says about the run. */
  private async request({ checkpointId, dtype }: Claim): Promise<ExportCheckpointRequest> {
    const { manager } = this.database;
    const { adapterSha256, baseModelPath, baseModelDigest, templateHash, runId, importedFrom, name } = await manager.findOneByOrFail(
      CheckpointEntity,
      { id: checkpointId },
    );
    const run = runId === null ? null : await manager.findOneByOrFail(RunEntity, { id: runId });
    const inputs = run === null ? [] : await manager.find(RunInputEntity, { where: { runId: run.id }, order: { position: 'ASC' } });
    const scores = await manager.find(EvaluationEntity, { where: { checkpointId, primary: true, versus: '' }, order: { seq: 'ASC' } });
    const datasets = inputs.map(({ role, datasetName, digest }) => `${role}: ${datasetName} (${digest.slice(0, 12)})`);
    const metrics = scores.map(
      ({ benchmark, metric, mode, value, difference }) =>
        [`${benchmark}, ${metric} (${mode})`, `${value.toFixed(2)}, ${difference.toFixed(2)} against the base model`] as const,
    );
    const about = {
      'Base model digest': baseModelDigest,
      'Chat template (sha256)': templateHash,
      Checkpoint: `${name} (${checkpointId})`,
      ...(run === null
        ? { 'Imported from': path.basename(importedFrom ?? '') }
        : { Run: `${run.name} (${run.id})`, 'Recipe digest': run.recipeDigest, Datasets: datasets.join('; ') }),
      ...Object.fromEntries(metrics),
    };
    return { adapterSha256, model: ModelSpec.fromPartial({ path: baseModelPath, digest: baseModelDigest, templateHash }), dtype, about };
  }

  private async finish(claim: Claim, { sha256, bytes, dtype, largestDifference, effect }: ExportResult): Promise<void> {
    const made = { sha256, bytes: String(bytes), storedDtype: dtype, largestDifference, effect };
    const state = MergedState.MERGED_STATE_READY;
    await this.write(claim, { ...made, state, phase: '', errorCode: '', error: '', leaseOwner: null, leaseExpiresAt: null });
  }

  /** A trainer that is away only delays; everything else is for the user to know and mend. */
  private async fail(claim: Claim, thrown: unknown): Promise<void> {
    const error =
      thrown instanceof DomainError
        ? thrown
        : new DomainError(claim.epoch < MOST_TRIES ? 'UNAVAILABLE' : 'INTERNAL', `The export was interrupted: ${messageOf(thrown)}`);
    const text = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
    this.logger.warn(`merged export of checkpoint ${claim.checkpointId}: ${text}`);
    const reason = { errorCode: error.reason ?? error.code, error: text };
    const passing = error.code === 'UNAVAILABLE' || error.code === 'DEADLINE_EXCEEDED' || error.code === 'CANCELLED';
    if (passing) await this.release(claim, RETRY_SECONDS, reason);
    else await this.write(claim, { ...reason, state: MergedState.MERGED_STATE_FAILED, leaseOwner: null, leaseExpiresAt: null });
  }

  /** Gives the row back, to be claimed by any server after the delay. */
  private async release(claim: Claim, delaySeconds: number, reason: Change = {}): Promise<void> {
    const leaseExpiresAt = (): string => `now() + ${delaySeconds} * interval '1 second'`;
    await this.write(claim, { ...reason, leaseOwner: null, leaseExpiresAt });
  }

  /** Holds the lease until told to stop; `lost` fires when it cannot be held any more. */
  private async renew(claim: Claim, until: AbortSignal, lost: AbortController): Promise<void> {
    let heldAt = monotonicMs();
    while (await pause(RENEW_MS, until)) {
      try {
        if (!(await this.write(claim, { leaseExpiresAt: () => `now() + ${LEASE_SECONDS} * interval '1 second'` }))) {
          lost.abort();
          return;
        }
        heldAt = monotonicMs();
      } catch (error) {
        this.logger.warn(`cannot renew an export's lease: ${messageOf(error)}`);
        if (monotonicMs() - heldAt > LEASE_SECONDS * 1_000) {
          lost.abort();
          return;
        }
      }
    }
  }

  /** Changes the claimed row; false when the claim belongs to another process by now. */
  private async write(
    { checkpointId, dtype, epoch }: Claim,
    change: Parameters<typeof this.database.manager.update<MergedExportEntity>>[2],
  ): Promise<boolean> {
    const { affected } = await this.database.manager.update(MergedExportEntity, { checkpointId, dtype, epoch }, change);
    return affected === 1;
  }
}
