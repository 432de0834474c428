import { sniffImage } from './sniff.js';

const head = (text: string): Buffer => Buffer.from(text, 'latin1');

test('images that browsers show are known by their first bytes', () => {
  const cases: [string, string][] = [
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['GIF89a', 'image/gif'],
    ['RIFF\x10\0\0\0WEBPVP8 ', 'image/webp'],
    ['\0\0\0\x20ftypavif', 'image/avif'],
    ['BM\x36\0\0\0\0\0\0\0', 'image/bmp'],
  ];
  for (const [bytes, mediaType] of cases) expect(sniffImage(head(bytes))).toBe(mediaType);
});

test('scripts, texts and other files are never served as images', () => {
  const others = ['<svg xmlns="http://www.w3.org/2000/svg">', '<html>', 'BMW drives', 'RIFF\x10\0\0\0WAVEfmt ', '\xff\xd8', ''];
  for (const bytes of others) expect(sniffImage(head(bytes)), bytes).toBeUndefined();
});
