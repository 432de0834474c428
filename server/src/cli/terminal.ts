import { escaping } from '../platform/printable.js';
import { clip, wrap } from './text.js';

/** What a terminal can do here: redraw lines and colours, or plain lines only. */
export const isTerminal = process.stdout.isTTY;
const hasColors = isTerminal && process.env['NO_COLOR'] === undefined;
const OFF_TERMINAL_COLUMNS = 100;
const LEAST_COLUMNS = 20;

const paint = (code: number) => (text: string) => (hasColors ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);

/** The one gate to the terminal: of control characters only line ends and the colours above pass. */
const safe = escaping(hasColors ? /\n|\u001b\[(?:0|1|2|31|32)m/ : /\n/);

/** Columns of a line. */
export const width = (): number => Math.max(LEAST_COLUMNS, isTerminal ? process.stdout.columns : OFF_TERMINAL_COLUMNS);

export function print(text = ''): void {
  process.stdout.write(`${safe(text)}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${safe(text)}\n`);
}

/** Prints sentences, broken at the terminal's width. */
export const say = (text: string, indent = '  '): void => print(wrap(text, width(), indent));

/** 75 -> "1:15", 3700 -> "1:01:40". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Lines at the bottom of the terminal that are drawn over again; off a terminal nothing is drawn. */
export class LiveArea {
  static #frozen = false;
  #drawn = 0;

  /** From here on nothing is drawn: what is printed now stays below what was drawn last. */
  static freeze(): void {
    LiveArea.#frozen = true;
  }

  draw(lines: string[]): void {
    if (!isTerminal || LiveArea.#frozen) return;
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}F` : '';
    // A line that the terminal wraps would spoil the redrawing.
    const columns = width() - 1;
    process.stdout.write(`${up}${lines.map((line) => `\u001b[2K${clip(safe(line), columns)}\n`).join('')}\u001b[0J`);
    this.#drawn = lines.length;
  }

  /** Leaves what is drawn where it is: the next draw starts below. */
  release(): void {
    this.#drawn = 0;
  }
}
