import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Piece, wordDiff } from './word-diff.js';

const own = (pieces: Piece[]): string[] => pieces.filter((piece) => piece.own).map(({ text }) => text);
const whole = (pieces: Piece[]): string => pieces.map(({ text }) => text).join('');

test('words that only one text has are its own', () => {
  const [left, right] = wordDiff('A red dog on the grass.', 'A blue cat on the grass.');
  assert.deepEqual(own(left), ['red', 'dog']);
  assert.deepEqual(own(right), ['blue', 'cat']);
});

test('pieces put together are the texts', () => {
  const texts = ['Two cups, one  plate.\nNo fork', 'One cup, two plates.\nNo fork!'] as const;
  assert.deepEqual(wordDiff(...texts).map(whole), [...texts]);
});

test('an empty text has no pieces, and all of the other is its own', () => {
  assert.deepEqual(wordDiff('', 'a tree'), [[], [{ text: 'a tree', own: true }]]);
});

test('texts too long for the table are shown without differences', () => {
  const [left, right] = wordDiff('word '.repeat(1500), 'other '.repeat(1500));
  assert.deepEqual([own(left), own(right)], [[], []]);
});
