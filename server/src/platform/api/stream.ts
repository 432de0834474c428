import { once } from 'node:events';

/** Writes each message at the reader's pace: an unread one is not followed by the next, which would fill memory. */
export async function pump<T>(
  messages: AsyncIterable<T>,
  sink: NodeJS.EventEmitter,
  write: (message: T) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of messages) {
    if (signal.aborted) return;
    if (!write(message)) await once(sink, 'drain', { signal });
  }
}

/** Encodes a message once for all who are sent the same object, as the watchers of one thing are. */
export function encodedOnce<Encoded>(encode: (message: object) => Encoded): (message: object) => Encoded {
  const known = new WeakMap<object, { encoded: Encoded }>();
  return (message) => {
    const entry = known.get(message) ?? { encoded: encode(message) };
    known.set(message, entry);
    return entry.encoded;
  };
}
