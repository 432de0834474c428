import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../platform/config/config.js';

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;

const digest = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

/**
 * Endpoint secrets, sealed for the database with a key that is not in it: STIC_SECRET_KEY, or a file of the state folder that is
 * made when it is first needed. A sealed secret opens only under the endpoint's own id.
 */
@Injectable()
export class Secrets {
  private known: Buffer | undefined;

  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'secretKey' | 'state'>) {}

  /** Tells keys apart without giving one away. */
  get keyId(): string {
    return digest(this.key).slice(0, 12);
  }

  /** A fresh secret, as Standard Webhooks writes it. */
  create(): string {
    return `whsec_${randomBytes(24).toString('base64')}`;
  }

  fingerprint(secret: string): string {
    return digest(secret).slice(-8);
  }

  seal(secret: string, endpointId: string): string {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv(algorithm, this.key, iv).setAAD(Buffer.from(endpointId));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** Throws when it was sealed with another key or for another endpoint. */
  open(sealed: string, endpointId: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv(algorithm, this.key, bytes.subarray(0, ivBytes)).setAAD(Buffer.from(endpointId));
    decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString('utf8');
  }

  private get key(): Buffer {
    this.known ??= this.config.secretKey ?? keyFile(path.join(this.config.state, 'secret-key'));
    return this.known;
  }
}

/** The file's key; made when there is none, by whoever comes first. */
function keyFile(file: string): Buffer {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, randomBytes(keyBytes).toString('base64'), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const key = Buffer.from(readFileSync(file, 'utf8'), 'base64');
  if (key.length !== keyBytes) throw new Error(`${file} does not hold a key of ${keyBytes} bytes in base64.`);
  return key;
}
