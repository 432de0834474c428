import { useInfiniteQuery, useMutation, useQuery, useQueryClient, type UseQueryOptions } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
import type { CallOptions } from '@stic/api/service.js';
import type { Cached } from './clients';
import { type Connection, follow } from './follow';

type Unary<Request, Response> = ((request: Request, options?: CallOptions) => Promise<Response>) & Cached;
type Streaming<Request, Response> = ((request: Request, options?: CallOptions) => AsyncIterable<Response>) & Cached;

type QueryOptions<Response> = Pick<
  UseQueryOptions<Response>,
  'enabled' | 'gcTime' | 'placeholderData' | 'refetchInterval' | 'retry' | 'staleTime'
> & {
  /** What the answer depends on beside the request: it is asked for anew when this changes. */
  version?: unknown;
};

/** What an rpc answers. */
export function useRpc<Request extends object, Response>(
  rpc: Unary<Request, Response>,
  request: NoInfer<Request>,
  { version, ...options }: QueryOptions<NoInfer<Response>> = {},
) {
  return useQuery<Response>({ ...options, queryKey: rpc.keyOf(request, version), queryFn: ({ signal }) => rpc(request, { signal }) });
}

type PagesOptions<Response> = {
  enabled?: boolean;
  staleTime?: number;
  version?: unknown;
  /** Milliseconds between two readings; a function is given the pages read so far. */
  pollMs?: number | false | ((pages: Response[]) => number);
};

/** What a list rpc answers, page after page. */
export function usePages<Request extends { pageToken?: string }, Response extends { nextPageToken: string }>(
  rpc: Unary<Request, Response>,
  request: NoInfer<Request>,
  { version, pollMs = false, ...options }: PagesOptions<NoInfer<Response>> = {},
) {
  return useInfiniteQuery({
    ...options,
    queryKey: rpc.keyOf(request, version),
    queryFn: ({ pageParam, signal }) => rpc({ ...request, pageToken: pageParam }, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: ({ state }) => (typeof pollMs === 'function' ? pollMs(state.data?.pages ?? []) : pollMs),
  });
}

type Grown<Row> = { rows: Row[]; cursor: string };

/** A list that only grows: each poll asks for what is behind the cursor and appends it. */
export function useGrowing<Request extends { cursor?: string }, Response extends { nextCursor: string; more: boolean }, Row>(
  rpc: Unary<Request, Response>,
  request: NoInfer<Request>,
  rowsOf: (page: NoInfer<Response>) => Row[],
  live: boolean,
) {
  const client = useQueryClient();
  return useQuery({
    // `live` in the key: the last poll may have missed the end, and the list is read once more when nothing can be added.
    queryKey: rpc.keyOf(request, live),
    queryFn: async ({ queryKey, signal }) => {
      let known = client.getQueryData<Grown<Row>>(queryKey) ??
        client.getQueryData<Grown<Row>>(rpc.keyOf(request, !live)) ?? { rows: [], cursor: '' };
      for (let more = true; more;) {
        const page = await rpc({ ...request, cursor: known.cursor }, { signal });
        const rows = rowsOf(page);
        if (rows.length > 0) known = { rows: [...known.rows, ...rows], cursor: page.nextCursor };
        more = page.more;
      }
      return known;
    },
    select: (known) => known.rows,
    refetchInterval: live ? 2000 : false,
    structuralSharing: false,
    placeholderData: (previous) => previous,
  });
}

/** A call that changes something; the answers of what it `invalidates` are read again, also after a refusal. */
export function useRpcMutation<Request, Response>(
  rpc: Unary<Request, Response>,
  { invalidates = [] }: { invalidates?: readonly Cached[] } = {},
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: Request) => rpc(request),
    onSettled: () => Promise.all(invalidates.map(({ path }) => client.invalidateQueries({ queryKey: [path] }))),
  });
}

/** What `get` answers, kept equal to the server's by `watch` until it is final. */
export function useWatched<Request extends object, Resource>(
  get: Unary<Request, Resource>,
  watch: Streaming<NoInfer<Request>, NoInfer<Resource>>,
  request: NoInfer<Request>,
  isFinal: (resource: NoInfer<Resource>) => boolean,
) {
  const client = useQueryClient();
  const query = useRpc(get, request);
  const [connection, setConnection] = useState<Connection>('connecting');
  const enabled = query.data !== undefined && !isFinal(query.data);

  const start = useEffectEvent((signal: AbortSignal) => {
    const key = get.keyOf(request);
    return follow<Resource>({
      open: (stop) => watch(request, { signal: stop }),
      signal,
      isFinal,
      onUpdate: (resource) => client.setQueryData(key, resource),
      onConnection: setConnection,
    });
  });
  const key = JSON.stringify(get.keyOf(request));
  useEffect(() => {
    if (!enabled) return;
    const leaving = new AbortController();
    void start(leaving.signal);
    return () => leaving.abort();
  }, [enabled, key]);

  return { ...query, connection: enabled ? connection : ('closed' as const) };
}
