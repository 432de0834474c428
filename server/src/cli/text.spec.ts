import { clip, columnsOf, padEnd, padStart, prose, shorten, shown, wrap } from './text.js';

const RED = '\u001b[31m';
const END = '\u001b[0m';

test('columns are counted as a terminal shows them', () => {
  const cases: [string, number][] = [
    ['plain', 5],
    ['été e\u0301', 5],
    ['写真.png', 8],
    ['한국어', 6],
    ['ｆｕｌｌ', 8],
    ['👍', 2],
    ['👩‍👩‍👧', 2],
    ['❤️', 2],
    ['🇩🇪', 2],
    ['█░ …', 4],
    [`${RED}red${END}`, 3],
    ['', 0],
  ];
  for (const [text, columns] of cases) expect(columnsOf(text), text).toBe(columns);
});

test('a long name loses its middle, and never half a character', () => {
  expect(shorten('a/long/way/to/file.png', 11)).toBe('a/lon…e.png');
  expect(shorten('short', 5)).toBe('short');
  for (let columns = 2; columns < 20; columns++) {
    const short = shorten('写真写真写真👩‍👩‍👧👩‍👩‍👧写真写真.png', columns);
    expect(columnsOf(short), short).toBeLessThanOrEqual(columns);
    expect(short).not.toMatch(/\u200d(?!👩|👧)|[\ud800-\udfff]/u);
  }
  const deep = shown(`${'folder/'.repeat(100_000)}end.png`);
  expect(deep).toMatch(/^folder\/.*….*end\.png$/);
  expect(columnsOf(deep)).toBe(60);
});

test('a name from outside is escaped before it is shortened', () => {
  expect(shown('ansi_\u001b[31mred\u001b[0m.png')).toBe('ansi_\\x1b[31mred\\x1b[0m.png');
  expect(columnsOf(shown('\u001b'.repeat(100), 20))).toBe(20);
  expect(prose(' two\nlines and\u202e turned ')).toBe(' two lines and\\u202e turned ');
});

test('a line is cut at its end, its colours kept whole', () => {
  expect(clip('abcdef', 6)).toBe('abcdef');
  expect(clip('abcdef', 5)).toBe('abcd…');
  expect(clip(`ab${RED}cdef${END}`, 5)).toBe(`ab${RED}cd…${END}`);
  expect(clip(`${RED}ab${END}cdef`, 3)).toBe(`${RED}ab${END}…`);
  expect(columnsOf(clip('写真写真', 4))).toBe(3);
});

test('texts are padded by columns', () => {
  expect([padEnd('写', 4), padStart('写', 4), padEnd('long', 2)]).toStrictEqual(['写  ', '  写', 'long']);
});

test('a text is broken at spaces, its indent counted', () => {
  expect(wrap('one two three', 9, '  ')).toBe('  one two\n  three');
  expect(wrap('  spaced \n out  ', 20)).toBe('spaced out');
  expect(wrap('', 20, '  ')).toBe('');
});

test('a word longer than a line is broken, unless it is a path', () => {
  expect(wrap('a supercalifragilistic b', 8)).toBe('a superc\nalifragi\nlistic b');
  expect(wrap('see /a/very/long/path now', 8)).toBe('see\n/a/very/long/path\nnow');
});

test('no line of wrapped text is wider than the terminal, in any script', () => {
  const texts = [
    'The quick brown fox jumps over the lazy dog. '.repeat(4),
    '写真の説明を書いてください。'.repeat(9),
    '👍 👩‍👩‍👧 ❤️ '.repeat(30),
  ];
  for (const text of texts) {
    for (const columns of [40, 60, 80, 120]) {
      for (const line of wrap(text, columns, '  ').split('\n')) expect(columnsOf(line), `${columns}: ${line}`).toBeLessThanOrEqual(columns);
    }
  }
});
