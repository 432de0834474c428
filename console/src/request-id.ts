/** A random id for an idempotent request. `crypto.randomUUID` is missing on plain HTTP from another host, hence by hand. */
export function newRequestId(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
