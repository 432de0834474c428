export interface Piece {
  text: string;
  /** Not in the other text. */
  own: boolean;
}

// Above this many word pairs the table of the longest common subsequence is not worth its memory.
const cellLimit = 4_000_000;

/** Both texts cut into pieces: shared words, and words only one of them has (longest common subsequence of words). */
export function wordDiff(left: string, right: string): [Piece[], Piece[]] {
  const a = left.match(/\s+|[^\s\w]|\w+/g) ?? [];
  const b = right.match(/\s+|[^\s\w]|\w+/g) ?? [];
  if (a.length * b.length > cellLimit) return [[{ text: left, own: false }], [{ text: right, own: false }]];
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pieces: [Piece[], Piece[]] = [[], []];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const both = i < a.length && j < b.length;
    if (both && a[i] === b[j]) {
      push(pieces[0], a[i++] ?? '', false);
      push(pieces[1], b[j++] ?? '', false);
    } else if (j >= b.length || (both && at(i + 1, j) >= at(i, j + 1))) push(pieces[0], a[i++] ?? '', true);
    else push(pieces[1], b[j++] ?? '', true);
  }
  return pieces;
}

function push(pieces: Piece[], text: string, own: boolean): void {
  const last = pieces.at(-1);
  if (last?.own === own) last.text += text;
  else pieces.push({ text, own });
}
