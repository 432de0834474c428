import { type Piece, wordDiff } from './word-diff.js';

const own = (pieces: Piece[]): string[] => pieces.filter((piece) => piece.own).map(({ text }) => text);
const whole = (pieces: Piece[]): string => pieces.map(({ text }) => text).join('');

test('words that only one text has are its own', () => {
  const [left, right] = wordDiff('A red dog on the grass.', 'A blue cat on the grass.');
  expect(own(left)).toStrictEqual(['red', 'dog']);
  expect(own(right)).toStrictEqual(['blue', 'cat']);
});

test('pieces put together are the texts', () => {
  const texts = ['Two cups, one  plate.\nNo fork', 'One cup, two plates.\nNo fork!'] as const;
  expect(wordDiff(...texts).map(whole)).toStrictEqual([...texts]);
});

test('an empty text has no pieces, and all of the other is its own', () => {
  expect(wordDiff('', 'a tree')).toStrictEqual([[], [{ text: 'a tree', own: true }]]);
});

test('texts too long for the table are shown without differences', () => {
  const [left, right] = wordDiff('word '.repeat(1500), 'other '.repeat(1500));
  expect([own(left), own(right)]).toStrictEqual([[], []]);
});
