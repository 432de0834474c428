const ascii = (bytes: Buffer, from: number, to: number): string => bytes.subarray(from, to).toString('latin1');

const SIGNATURES: [mediaType: string, matches: (head: Buffer) => boolean][] = [
  ['image/jpeg', (head) => head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff],
  ['image/png', (head) => ascii(head, 0, 8) === '\x89PNG\r\n\x1a\n'],
  ['image/gif', (head) => ['GIF87a', 'GIF89a'].includes(ascii(head, 0, 6))],
  ['image/webp', (head) => ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 12) === 'WEBP'],
  ['image/avif', (head) => ascii(head, 4, 8) === 'ftyp' && ['avif', 'avis'].includes(ascii(head, 8, 12))],
  // "BM" alone is also the start of texts; the reserved bytes are zero in every bitmap.
  ['image/bmp', (head) => ascii(head, 0, 2) === 'BM' && ascii(head, 6, 10) === '\0\0\0\0'],
];

/** Media type of an image every current browser shows, by its first bytes; SVG, which can hold scripts, is never one. */
export function sniffImage(head: Buffer): string | undefined {
  return SIGNATURES.find(([, matches]) => matches(head))?.[0];
}
