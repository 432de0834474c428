import { once } from 'node:events';
import type { Response } from 'express';
import { presentable } from './unexpected.js';

const HEARTBEAT_MS = 15_000;

const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  Connection: 'keep-alive',
  'X-Accel-Buffering': 'no',
};

/**
 * Sends each message as an SSE event `update`, at the reader's pace, then `end`. An error before the first message is thrown
 * (and becomes an HTTP status), a later one is an event `error`.
 */
export async function sendEvents<T>(
  response: Response,
  toJSON: (message: T) => unknown,
  source: (signal: AbortSignal) => AsyncIterable<T>,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const send = async (event: string, data: unknown): Promise<void> => {
    if (!response.headersSent) response.writeHead(200, HEADERS);
    const drained = response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (!drained) await once(response, 'drain', { signal: gone.signal });
  };
  const heartbeat = setInterval(() => response.headersSent && response.write(': still here\n\n'), HEARTBEAT_MS);
  try {
    for await (const message of source(gone.signal)) await send('update', toJSON(message));
    await send('end', {});
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    if (!response.headersSent) throw error;
    await send('error', { error: presentable(error) });
    response.end();
  } finally {
    clearInterval(heartbeat);
  }
}
