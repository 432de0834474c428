import { useRef } from 'react';

/** A random UUID (RFC 9562, version 4). `crypto.randomUUID` is missing on plain HTTP from another host, hence by hand. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The same id for the same request, so that pressing twice or a retry after a lost answer makes one thing. */
export function useRequestId(): (request: object) => string {
  const last = useRef({ content: '', id: '' });
  return (request) => {
    const content = JSON.stringify(request);
    if (last.current.content !== content) last.current = { content, id: newRequestId() };
    return last.current.id;
  };
}
