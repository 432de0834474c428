import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** Header and gRPC metadata key under which callers say who they are. Nobody checks it: it is a name, not a proof. */
export const ACTOR_HEADER = 'stic-actor';

/** Header and gRPC metadata key of a request's id: the caller's own, or one made here; answers and the log carry it. */
export const REQUEST_ID_HEADER = 'x-request-id';

type Caller = { actor: string; requestId: string };

const callers = new AsyncLocalStorage<Caller>();
const LONGEST = 120;

/** Who the current request comes from, or the product itself outside of requests. */
export const caller = (): string => callers.getStore()?.actor ?? 'stic';

/** The id of the current request; undefined outside of requests. */
export const currentRequestId = (): string | undefined => callers.getStore()?.requestId;

/** Does the work in the name of whoever sent the request: what they call themselves, and where they called from. */
export function asCaller<T>(request: { claimed: string | undefined; from: string; requestId: string | undefined }, work: () => T): T {
  const name = plain(request.claimed);
  const requestId = plain(request.requestId);
  return callers.run(
    { actor: `${name === '' ? 'someone' : name} (${request.from})`, requestId: requestId === '' ? randomUUID() : requestId },
    work,
  );
}

const plain = (text = ''): string =>
  text
    .replaceAll(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, LONGEST);
