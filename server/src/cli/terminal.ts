/** What a terminal can do here: redraw lines and colours, or plain lines only. */
export const isTerminal = process.stdout.isTTY;
const hasColors = isTerminal && process.env['NO_COLOR'] === undefined;

const paint = (code: number) => (text: string) => (hasColors ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);

export const width = (): number => Math.max(60, isTerminal ? process.stdout.columns : 100);

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** 75 -> "1:15", 3700 -> "1:01:40". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Breaks a text at spaces; a word longer than a line stays whole. */
export function wrap(text: string, columns: number, indent = ''): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns - indent.length) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => indent + line).join('\n');
}

/** Lines at the bottom of the terminal that are drawn over again; off a terminal nothing is drawn. */
export class LiveArea {
  #drawn = 0;

  draw(lines: string[]): void {
    if (!isTerminal) return;
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}F` : '';
    const columns = width();
    process.stdout.write(`${up}${lines.map((line) => `\u001b[2K${clip(line, columns)}\n`).join('')}\u001b[0J`);
    this.#drawn = lines.length;
  }

  /** Leaves what is drawn where it is: the next draw starts below. */
  release(): void {
    this.#drawn = 0;
  }
}

/** Cuts a line to the columns, not counting colour codes; a wrapped line would spoil the redrawing. */
function clip(line: string, columns: number): string {
  let seen = 0;

  return line.replace(/\u001b\[\d+m|[^\u001b]/gu, (part) => (part.startsWith('\u001b') || ++seen < columns ? part : ''));
}
