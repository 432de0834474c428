import { AsyncLocalStorage } from 'node:async_hooks';

/** Header and gRPC metadata key under which callers say who they are. Nobody checks it: it is a name, not a proof. */
export const ACTOR_HEADER = 'stic-actor';

const callers = new AsyncLocalStorage<string>();
const longest = 120;

/** Who the current request comes from, or the product itself outside of requests. */
export const caller = (): string => callers.getStore() ?? 'stic';

/** Does the work in the name of whoever sent the request: what they call themselves, and where they called from. */
export function asCaller<T>(claimed: string | undefined, from: string, work: () => T): T {
  const name = (claimed ?? '')
    .replaceAll(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, longest);
  return callers.run(`${name === '' ? 'someone' : name} (${from})`, work);
}
