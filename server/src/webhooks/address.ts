import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** IPv4 networks that are not the public internet (IANA's special-purpose registry). */
const special4 = listOf('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, and the metadata services of clouds.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]);

/** IPv6: only global unicast is public, and of that not what tunnels to IPv4 or is kept for documents. */
const global6 = listOf('ipv6', [['2000::', 3]]);
const special6 = listOf('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

function listOf(family: 'ipv4' | 'ipv6', networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
}

/** Whether an address is one of the public internet: not private, loopback, link-local, metadata, multicast or reserved. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special4.check(address, 'ipv4');
  return family === 6 && global6.check(address, 'ipv6') && !special6.check(address, 'ipv6');
}

/** The name or address leads to where no webhook may go. */
export class AddressRefused extends Error {
  constructor(host: string, address: string) {
    super(
      `${host === address ? address : `${host} is ${address}, which`} is not a public address. ` +
        'Set STIC_WEBHOOKS_ALLOW_PRIVATE=1 on the server to deliver to addresses of its own network.',
    );
  }
}

type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves a name for a connection that is being made, and refuses when any of its addresses is not public. The connection goes to
 * the very addresses that were looked at, so a name that resolves to something else a moment later gains nothing.
 */
export function publicLookup(resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        done(error, []);
        return;
      }
      const inner = addresses.find(({ address }) => !isPublic(address));
      const [first] = addresses;
      if (!first) done(new Error(`${hostname} has no address`), []);
      else if (inner) done(new AddressRefused(hostname, inner.address), []);
      else if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

/** Refuses an address that is written out: such a connection never asks for a lookup. */
export function refuseLiteral(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublic(host)) throw new AddressRefused(host, host);
}
