import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  for (const [text, columns] of cases) assert.equal(columnsOf(text), columns, text);
});

test('a long name loses its middle, and never half a character', () => {
  assert.equal(shorten('a/long/way/to/file.png', 11), 'a/lon…e.png');
  assert.equal(shorten('short', 5), 'short');
  for (let columns = 2; columns < 20; columns++) {
    const short = shorten('写真写真写真👩‍👩‍👧👩‍👩‍👧写真写真.png', columns);
    assert.ok(columnsOf(short) <= columns, short);
    assert.ok(!/\u200d(?!👩|👧)|[\ud800-\udfff]/u.test(short), short);
  }
  const deep = shown(`${'folder/'.repeat(100_000)}end.png`);
  assert.match(deep, /^folder\/.*….*end\.png$/);
  assert.equal(columnsOf(deep), 60);
});

test('a name from outside is escaped before it is shortened', () => {
  assert.equal(shown('ansi_\u001b[31mred\u001b[0m.png'), 'ansi_\\x1b[31mred\\x1b[0m.png');
  assert.equal(columnsOf(shown('\u001b'.repeat(100), 20)), 20);
  assert.equal(prose(' two\nlines and\u202e turned '), ' two lines and\\u202e turned ');
});

test('a line is cut at its end, its colours kept whole', () => {
  assert.equal(clip('abcdef', 6), 'abcdef');
  assert.equal(clip('abcdef', 5), 'abcd…');
  assert.equal(clip(`ab${RED}cdef${END}`, 5), `ab${RED}cd…${END}`);
  assert.equal(clip(`${RED}ab${END}cdef`, 3), `${RED}ab${END}…`);
  assert.equal(columnsOf(clip('写真写真', 4)), 3);
});

test('texts are padded by columns', () => {
  assert.deepEqual([padEnd('写', 4), padStart('写', 4), padEnd('long', 2)], ['写  ', '  写', 'long']);
});

test('a text is broken at spaces, its indent counted', () => {
  assert.equal(wrap('one two three', 9, '  '), '  one two\n  three');
  assert.equal(wrap('  spaced \n out  ', 20), 'spaced out');
  assert.equal(wrap('', 20, '  '), '');
});

test('a word longer than a line is broken, unless it is a path', () => {
  assert.equal(wrap('a supercalifragilistic b', 8), 'a superc\nalifragi\nlistic b');
  assert.equal(wrap('see /a/very/long/path now', 8), 'see\n/a/very/long/path\nnow');
});

test('no line of wrapped text is wider than the terminal, in any script', () => {
  const texts = [
    'The quick brown fox jumps over the lazy dog. '.repeat(4),
    '写真の説明を書いてください。'.repeat(9),
    '👍 👩‍👩‍👧 ❤️ '.repeat(30),
  ];
  for (const text of texts) {
    for (const columns of [40, 60, 80, 120]) {
      for (const line of wrap(text, columns, '  ').split('\n')) assert.ok(columnsOf(line) <= columns, `${columns}: ${line}`);
    }
  }
});
