import { useQueryClient, type QueryKey } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { apiPath, type Decoder } from './client';

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'closed';

interface Watch<T> {
  path: string;
  decoder: Decoder<T>;
  key: QueryKey;
  enabled: boolean;
  /** True when no further update can come. */
  isFinal: (resource: T) => boolean;
}

/**
 * Keeps the cached resource at `key` equal to the server's, through server-sent events. Every event carries the whole resource and
 * a reconnect starts with the present one, so nothing can be missed.
 */
export function useWatch<T>({ path, decoder, key, enabled, isFinal }: Watch<T>): Connection {
  const client = useQueryClient();
  const [connection, setConnection] = useState<Connection>('connecting');
  const keyText = JSON.stringify(key);

  useEffect(() => {
    if (!enabled) return;
    let retry: number | undefined;
    let source: EventSource;
    const open = () => {
      source = new EventSource(apiPath(path));
      source.addEventListener('open', () => {
        setConnection('live');
      });
      source.addEventListener('update', (event: MessageEvent<string>) => {
        const resource = decoder.fromJSON(JSON.parse(event.data));
        client.setQueryData(JSON.parse(keyText) as QueryKey, resource);
        if (!isFinal(resource)) return;
        source.close();
        setConnection('closed');
      });
      source.addEventListener('error', () => {
        setConnection('reconnecting');
        retryWhenClosed();
      });
      // The server has no more to send: the resource is final, or the server is about to stop.
      source.addEventListener('end', () => {
        source.close();
        retryWhenClosed();
      });
    };
    const retryWhenClosed = () => {
      // The browser gives up for good when the answer is not an event stream, for instance a proxy's error page.
      window.clearTimeout(retry);
      if (source.readyState === EventSource.CLOSED) retry = window.setTimeout(open, 3000);
    };
    open();
    return () => {
      window.clearTimeout(retry);
      source.close();
    };
  }, [client, decoder, enabled, isFinal, keyText, path]);

  return enabled ? connection : 'closed';
}
