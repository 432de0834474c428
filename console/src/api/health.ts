import { useQuery } from '@tanstack/react-query';

/** Fails while the server or its database does not answer. */
export function useHealth() {
  return useQuery({
    queryKey: ['health'],
    queryFn: async ({ signal }) => {
      const { ok, status } = await fetch('/api/health', { signal });
      if (!ok) throw new Error(`The server answered with status ${String(status)}.`);
      return true;
    },
    refetchInterval: 10_000,
    retry: 1,
  });
}
