import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import { pack } from 'tar-stream';
import type { Pack } from 'tar-stream';
import { DomainError } from '../platform/errors.js';
import { CheckpointsService } from './checkpoints.service.js';

/** A checkpoint's PEFT folder as a tar. */
@Injectable()
export class CheckpointFiles {
  constructor(private readonly checkpoints: CheckpointsService) {}

  async send(checkpointId: string, response: Response): Promise<void> {
    const checkpoint = await this.checkpoints.get({ checkpointId });
    const files = await filesBelow(checkpoint.path);
    response.writeHead(200, {
      'Content-Type': 'application/x-tar',
      'Content-Disposition': `attachment; filename="${checkpoint.name}-${checkpoint.adapterSha256.slice(0, 12)}.tar"`,
    });
    const archive = pack();
    const written = write(archive, checkpoint.path, files).then(
      () => archive.finalize(),
      (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    // Cut off rather than ended: half an archive must not look like a whole one.
    await pipeline(archive, response).catch(() => response.destroy());
    await written;
  }
}

async function write(archive: Pack, folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const { size } = await stat(path.join(folder, file));
    await pipeline(createReadStream(path.join(folder, file)), archive.entry({ name: file.split(path.sep).join('/'), size }));
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    throw new DomainError('NOT_FOUND', 'The artifact store does not hold this adapter any more.', { cause: error });
  }
}
