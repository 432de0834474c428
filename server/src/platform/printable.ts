/**
 * Characters that a terminal or a log must not receive from a name or a text: controls (C0 and C1), line separators, lone surrogates
 * and format characters such as bidirectional overrides. Joiners and the tags of flags stay: words and emoji are written with them.
 */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d\u{e0020}-\u{e007f}])\p{Cf}/u;
const NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Writes each such character as an escape, ESC as \x1b and a right-to-left override as \u202e; what `allowed` matches passes. */
export function escaping(allowed = /(?!)/): (text: string) => string {
  const found = new RegExp(`(${allowed.source})|${UNPRINTABLE.source}`, 'gu');
  return (text) => text.replace(found, (character, passes?: string) => passes ?? escaped(character));
}

/** A name or text from outside on one line. */
export const printable = escaping();

/** Nothing of it would be escaped. */
export const isPrintable = (text: string): boolean => !UNPRINTABLE.test(text);

const LONGEST_SHOWN = 200;

/** What a caller sent, for an error: on one line and at most `longest` characters of it. */
export function shown(value: string, longest = LONGEST_SHOWN): string {
  const characters = Array.from(value.slice(0, 2 * longest + 1));
  if (characters.length <= longest) return printable(value);
  return `${printable(characters.slice(0, longest).join(''))}…`;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const name = NAMES[character];
  if (name !== undefined) return name;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}
