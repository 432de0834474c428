import { invalid } from './errors.js';
import { isPrintable } from './printable.js';

export const LONGEST_NAME = 200;
const LONGEST_TEXT = 2_000;
const CONTROL = /(?![\t\r\n])\p{Cc}/u;

/** A name without spaces around it: on one line, of characters that show. */
export function checkedName(field: string, given: string, { optional = false } = {}): string {
  const name = given.trim();
  if (name === '' && !optional) throw invalid(field, `${field} is missing: a name of 1 to ${LONGEST_NAME} characters.`);
  if (name.length > LONGEST_NAME) throw invalid(field, `${field} has at most ${LONGEST_NAME} characters, not ${name.length}.`);
  if (!isPrintable(name)) throw invalid(field, `${field} has control, direction or other characters that do not show.`);
  return name;
}

/** A comment or a description without spaces around it; it may have several lines. */
export function checkedText(field: string, given: string): string {
  const text = given.trim();
  if (text.length > LONGEST_TEXT) throw invalid(field, `${field} has at most ${LONGEST_TEXT} characters, not ${text.length}.`);
  if (CONTROL.test(text)) throw invalid(field, `${field} has control characters.`);
  return text;
}

/** Postgres stores every character but NUL, which it would refuse with an error of its own. */
export function refuseNul(value: unknown, field = ''): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw invalid(field, `${field} has a NUL character.`);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseNul(item, `${field}[${index}]`);
  } else if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    for (const [key, inner] of Object.entries(value)) {
      const name = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (key.includes('\0')) throw invalid(field, `A key of ${field} has a NUL character.`);
      refuseNul(inner, field === '' ? name : `${field}.${name}`);
    }
  }
}
