import { mkdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { extract } from 'tar-stream';
import { writeContent } from '../backup/digests.js';
import { MergedExport, MergedState } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import type { Config } from '../platform/config/config.js';
import { messageOf } from '../platform/errors.js';
import { CliError } from './cli-error.js';
import { green, print } from './terminal.js';

const POLL_MS = 1_000;

export type ExportOptions = { merged: boolean; dtype: string };

/** `stic export CHECKPOINT_ID FOLDER`: the adapter's folder, or the merged model's, from the running server. */
export async function exportCheckpoint(config: Config, id: string, folder: string, { merged, dtype }: ExportOptions): Promise<void> {
  if (existsSync(folder)) throw new CliError(`${folder} exists already.`, 'Name a folder that does not exist yet.');
  if (dtype !== '' && !merged) throw new CliError('--dtype is of a merged model.', 'Add --merged.');
  const listens = ['0.0.0.0', '::'].includes(config.host) ? '127.0.0.1' : config.host;
  const host = listens.includes(':') ? `[${listens}]` : listens;
  const at = `http://${host}:${config.httpPort}/api/checkpoints/${encodeURIComponent(id)}`;
  if (merged) await merge(at, dtype);
  const query = merged ? `?merged=true&dtype=${encodeURIComponent(dtype)}` : '';
  const draft = `${folder}.partial`;
  await rm(draft, { recursive: true, force: true });
  try {
    await unpack(await ask(`${at}/files${query}`), draft);
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  print(`${green('Exported')} ${merged ? 'the merged model' : 'the adapter'} to ${folder}.`);
}

/** Starts the merge, or finds it under way or done, and waits. Interrupted, it goes on at the server. */
async function merge(at: string, dtype: string): Promise<void> {
  let shown = '';
  for (let start = true; ; start = false) {
    const body = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ dtype }) };
    const response = await (start ? ask(`${at}/merge`, body) : ask(`${at}/merge?dtype=${encodeURIComponent(dtype)}`));
    const one = MergedExport.fromJSON(await response.json());
    if (one.state === MergedState.MERGED_STATE_FAILED)
      throw new CliError(`${one.errorCode}: ${one.error}`, 'The same command starts it again.');
    if (one.state === MergedState.MERGED_STATE_READY) {
      print(`Merged in ${one.storedDtype}: logits differ by at most ${one.largestDifference.toPrecision(3)} from the adapter's.`);
      return;
    }
    const text = one.error || (one.phase === 'merging' ? `merging: ${one.done} of ${one.total} MB` : one.phase || 'waiting for a trainer');
    if (text !== shown) print(text);
    shown = text;
    await delay(POLL_MS);
  }
}

async function ask(url: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    throw new CliError(`The server cannot be reached at ${new URL(url).origin}: ${messageOf(error)}.`, 'Start it with npm start.');
  }
  if (response.ok) return response;
  const problem: unknown = await response.json().catch(() => undefined);
  const { message, hint } = errorOf(problem);
  throw new CliError(message ?? `The server answered ${response.status}.`, hint);
}

function errorOf(body: unknown): { message?: string; hint?: string } {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : body;
  if (typeof error !== 'object' || error === null) return {};
  const found: { message?: string; hint?: string } = {};
  if ('message' in error && typeof error.message === 'string') found.message = error.message;
  if ('hint' in error && typeof error.hint === 'string') found.hint = error.hint;
  return found;
}

async function unpack(response: Response, folder: string): Promise<void> {
  if (!response.body) throw new CliError('The server sent nothing.');
  await mkdir(folder, { recursive: true });
  const entries = extract();
  const read = pipeline(Readable.fromWeb(response.body), entries);
  read.catch(() => undefined);
  try {
    for await (const entry of entries) {
      const target = path.join(folder, entry.header.name);
      if (!target.startsWith(folder + path.sep)) throw new Error(`${entry.header.name} leads out of the folder`);
      await writeContent(target, entry as AsyncIterable<Buffer>);
    }
    await read;
  } catch (error) {
    throw new CliError(`The download broke off: ${messageOf(error)}.`, 'Run the same command again.');
  }
}
