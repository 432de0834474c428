import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import path from 'node:path';
import { DomainError, invalid } from '../errors.js';
import { ArtifactStore } from '../storage/artifact-store.js';
import { sniffImage } from './sniff.js';

/** Enough for the signatures of all image formats browsers show. */
const HEAD_BYTES = 32;

/** Blobs never change under their name, hence may be kept for ever. */
@Controller('api/blobs')
export class BlobsController {
  constructor(private readonly store: ArtifactStore) {}

  @Get(':sha256')
  async get(@Param('sha256') sha256: string, @Query('type') type: unknown, @Res() response: Response): Promise<void> {
    if (type !== undefined && type !== 'image') throw invalid('type', 'type can only be "image".');
    const head = await this.head(sha256);
    if (type === 'image') {
      const mediaType = sniffImage(head);
      if (mediaType === undefined) {
        throw new DomainError('FAILED_PRECONDITION', 'This blob is not an image a browser can show.', { hint: 'Show its thumbnail.' });
      }
      response.type(mediaType);
    } else {
      response.type('application/octet-stream');
      response.set('Content-Disposition', `attachment; filename="${sha256}"`);
    }
    response.set('Cache-Control', 'public, max-age=31536000, immutable');
    await new Promise<void>((resolve, reject) => {
      const relative = path.relative(this.store.root, this.store.blobPath(sha256));
      response.sendFile(relative, { root: this.store.root, cacheControl: false, etag: true }, (error: Error | undefined) => {
        if (error && !response.headersSent) reject(error);
        else resolve();
      });
    });
  }

  private async head(sha256: string): Promise<Buffer> {
    const handle = await this.store.openBlob(sha256);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }
}
