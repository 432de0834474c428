import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ImportCheckpointRequest } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { LoraConfig } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { ImportAdapterResponse } from '@stic/api/gen/stic/trainer/v1/trainer.js';
import { audit } from '../audit/index.js';
import { CheckpointEntity } from '../model/index.js';
import { doneBefore, once } from '../platform/database/idempotency.js';
import { DomainError, invalid } from '../platform/errors.js';
import { shown } from '../platform/printable.js';
import { checkedName, LONGEST_NAME } from '../platform/text.js';
import { TrainerPool } from '../trainers/index.js';

/** Makes checkpoints of adapters from elsewhere. A trainer judges them: it sees the folders and knows what it can train on. */
@Injectable()
export class CheckpointImporter {
  constructor(
    private readonly db: DataSource,
    private readonly trainers: TrainerPool,
  ) {}

  /** The checkpoint's id. INVALID_ARGUMENT with the trainer's reason for an adapter that does not fit its base model. */
  async import(request: ImportCheckpointRequest): Promise<string> {
    const wanted = checked(request);
    const keyed = { method: 'ImportCheckpoint', request };
    const earlier = await doneBefore(this.db.manager, keyed);
    if (earlier !== undefined) return earlier;
    const { adapterSha256, bytes, model, lora } = await this.ask(wanted);
    const id = randomUUID();
    const checkpoint = {
      id,
      runId: null,
      attemptId: null,
      name: wanted.name,
      adapterSha256,
      bytes: String(bytes),
      baseModelPath: wanted.baseModelPath,
      baseModelDigest: model?.digest ?? '',
      templateHash: '',
      parentId: null,
      createdAt: new Date(),
      importedFrom: wanted.path,
      lora: LoraConfig.toJSON(LoraConfig.fromPartial(lora ?? {})) as object,
    };
    return once(this.db, keyed, async (manager) => {
      await manager.insert(CheckpointEntity, checkpoint);
      const details = { path: wanted.path, base_model: wanted.baseModelPath, adapter: adapterSha256 };
      await audit(manager, { verb: 'import', subject: { type: 'checkpoint', id, name: wanted.name }, details });
      return id;
    });
  }

  private async ask({ path: from, baseModelPath }: ImportCheckpointRequest): Promise<ImportAdapterResponse> {
    try {
      return await this.trainers.importAdapter({ path: from, modelPath: baseModelPath });
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'INVALID_ARGUMENT') throw error;
      const field = error.reason === 'ADAPTER_INVALID' ? 'path' : 'base_model_path';
      throw new DomainError(error.code, error.message, { field, ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error });
    }
  }
}

function checked(request: ImportCheckpointRequest): ImportCheckpointRequest {
  for (const [field, value] of [
    ['path', request.path],
    ['base_model_path', request.baseModelPath],
  ] as const) {
    const named = field === 'base_model_path' && value.startsWith('embedded:');
    if ((!path.isAbsolute(value) && !named) || value.includes('\0')) {
      throw invalid(
        field,
        `${field} must be an absolute path, not "${shown(value)}".`,
        'It is read by the trainer, whose own folder is another one.',
      );
    }
  }
  return { ...request, name: checkedName('name', request.name.trim() || path.basename(request.path).slice(-LONGEST_NAME)) };
}
