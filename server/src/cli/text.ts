import { stripVTControlCharacters } from 'node:util';
import { eastAsianWidth } from 'get-east-asian-width';
import { printable } from '../platform/printable.js';

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** A colour code of ours, or one character as a reader sees it. */
const COLOR = /(\u001b\[\d+m)/u;
const NAME_COLUMNS = 60;
const PROSE_COLUMNS = 1_200;

/** Columns that a terminal gives the text; colour codes take none, CJK and emoji two a character. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const { segment } of graphemes.segment(stripVTControlCharacters(text))) columns += columnsOfGrapheme(segment);
  return columns;
}

function columnsOfGrapheme(grapheme: string): number {
  if (/^[\p{M}\p{Cf}\p{Cc}]+$/u.test(grapheme)) return 0;
  if (grapheme.includes('\ufe0f') || /^\p{Regional_Indicator}{2}/u.test(grapheme)) return 2;
  return eastAsianWidth(grapheme.codePointAt(0) ?? 0);
}

/** A name or text from outside as a terminal may show it: escaped, on one line, its middle left out when it is long. */
export const shown = (text: string, columns = NAME_COLUMNS): string => shorten(printable(text), columns);

/** Sentences from outside: the same with their line ends as spaces, and much longer. */
export const prose = (text: string): string => shown(text.replaceAll(/\s+/g, ' '), PROSE_COLUMNS);

/** The text with an ellipsis in its middle when it is wider: of a path the end tells as much as the beginning. */
export function shorten(text: string, columns: number): string {
  // No need to look at more of a very long text than can be shown, with room for characters made of many.
  const reach = 32 * columns;
  const parts = text.length > 2 * reach ? [text.slice(0, reach), text.slice(-reach)] : [text];
  const characters = parts.flatMap((part) => [...graphemes.segment(part)].map(({ segment }) => segment));
  if (parts.length === 1 && columnsOf(text) <= columns) return text;
  const tail = Math.floor((columns - 1) / 2);
  return `${fitting(characters, columns - 1 - tail).join('')}…${fitting(characters.reverse(), tail).reverse().join('')}`;
}

/** The first characters that fit. */
function fitting(characters: readonly string[], columns: number): string[] {
  let left = columns;
  const end = characters.findIndex((character) => (left -= columnsOf(character)) < 0);
  return characters.slice(0, end < 0 ? undefined : end);
}

/** A line cut to the columns, with an ellipsis where something is missing; colours end with it. */
export function clip(line: string, columns: number): string {
  if (columnsOf(line) <= columns) return line;
  let left = columns - 1;
  let cut = '';
  let isFull = false;
  for (const part of line.split(COLOR)) {
    if (COLOR.test(part)) cut += part;
    else if (!isFull) {
      const kept = fitting(
        [...graphemes.segment(part)].map(({ segment }) => segment),
        left,
      ).join('');
      isFull = kept !== part;
      cut += isFull ? `${kept}…` : kept;
      left -= columnsOf(kept);
    }
  }
  return cut;
}

/** `padEnd` and `padStart` by columns. */
export const padEnd = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
export const padStart = (text: string, columns: number): string => ' '.repeat(Math.max(0, columns - columnsOf(text))) + text;

/**
 * Breaks a text at spaces, and between CJK characters. A word that is longer than a line is broken too, but not a path or an
 * address, which is copied whole.
 */
export function wrap(text: string, columns: number, indent = ''): string {
  const room = Math.max(1, columns - columnsOf(indent));
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    for (const [place, piece] of pieces(word, room).entries()) {
      const joined = `${lines.at(-1) ?? ''}${place === 0 ? ' ' : ''}${piece}`;
      if (lines.length > 0 && columnsOf(joined) <= room) lines[lines.length - 1] = joined;
      else lines.push(piece);
    }
  }
  return lines.map((line) => indent + line).join('\n');
}

/** The parts of a word between which a line may end. */
function pieces(word: string, room: number): string[] {
  if (columnsOf(word) <= room || word.includes('/') || COLOR.test(word)) return [word];
  return [...graphemes.segment(word)].map(({ segment }) => segment);
}
