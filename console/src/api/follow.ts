import { ApiError } from '@stic/api/http.js';

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'closed';

export type Following<T> = {
  open: (signal: AbortSignal) => AsyncIterable<T>;
  signal: AbortSignal;
  /** No further update can come. */
  isFinal: (resource: T) => boolean;
  onUpdate: (resource: T) => void;
  onConnection: (connection: Connection) => void;
  retryMs?: number;
};

/**
 * Follows a resource until it is final or `signal` aborts. Every update carries the whole resource and a stream starts with the present
 * one, hence a reconnect misses nothing. A stream that ends early comes from a server that stops or from a lost connection.
 */
export async function follow<T>({ open, signal, isFinal, onUpdate, onConnection, retryMs = 3000 }: Following<T>): Promise<void> {
  const left = (): boolean => signal.aborted;
  while (!left()) {
    try {
      for await (const resource of open(signal)) {
        if (left()) return;
        onUpdate(resource);
        onConnection(isFinal(resource) ? 'closed' : 'live');
        if (isFinal(resource)) return;
      }
    } catch (error) {
      if (left()) return;
      if (!(error instanceof ApiError)) throw error;
    }
    onConnection('reconnecting');
    await pause(retryMs, signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
