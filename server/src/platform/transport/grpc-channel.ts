import type { ChannelOptions } from '@grpc/grpc-js';

/**
 * Options of every channel of ours. Trainers and servers are named by address in the same network: the proxy that http_proxy and its
 * kin name for the way out would cut a server off from its own trainer.
 */
export const DIRECT: ChannelOptions = { 'grpc.enable_http_proxy': 0 };

/** Why a call did not reach the other side, from what grpc-js says, which may be several half-empty sentences. */
export function reasonOf(details: string): string {
  const [, last] = /Last error: (.*?)(?:\. Resolution note:.*)?$/s.exec(details) ?? [];
  const reason = (last ?? details)
    .replace(/\.?\s*Resolution note:.*$/s, '')
    .replace(/^Error: /, '')
    .trim();
  return reason === '' || reason === 'undefined' || reason === 'null' ? 'no connection was established' : reason.replace(/\.$/, '');
}
