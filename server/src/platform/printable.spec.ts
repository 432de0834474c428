import { escaping, printable, shown } from './printable.js';

test('what steers a terminal or turns the reading direction is escaped', () => {
  const cases: [string, string][] = [
    ['a\u001b[31mred\u001b[0m.png', 'a\\x1b[31mred\\x1b[0m.png'],
    ['bell\u0007 nul\u0000 del\u007f', 'bell\\x07 nul\\x00 del\\x7f'],
    ['csi\u009b31m osc\u009d', 'csi\\x9b31m osc\\x9d'],
    ['a\nb\rc\td', 'a\\nb\\rc\\td'],
    ['gpj\u202egnp \u2066iso\u2069 \u200emark', 'gpj\\u202egnp \\u2066iso\\u2069 \\u200emark'],
    ['line\u2028paragraph\u2029', 'line\\u2028paragraph\\u2029'],
    ['half \ud800 end', 'half \\ud800 end'],
    ['\ufeffbom \u200bzero \u00adsoft', '\\ufeffbom \\u200bzero \\xadsoft'],
    ['\u{1d173}beam', '\\u{1d173}beam'],
  ];
  for (const [text, want] of cases) expect(printable(text)).toBe(want);
});

test('words and emoji of every script stay as they are', () => {
  for (const text of ['été.png', '写真 한국어 हिन्दी العربية', '👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️', 'می‌خواهم', 'back\\slash']) {
    expect(printable(text)).toBe(text);
  }
});

test('what is allowed passes, and nothing that only begins like it', () => {
  const escape = escaping(/\n|\u001b\[1m/);
  expect(escape('\u001b[1mbold\n\u001b[2J\u001b[11m')).toBe('\u001b[1mbold\n\\x1b[2J\\x1b[11m');
});

test('an error shows at most 200 characters of what a caller sent, on one line', () => {
  expect(shown('a'.repeat(200))).toBe('a'.repeat(200));
  expect(shown('a'.repeat(100_000))).toBe(`${'a'.repeat(200)}…`);
  expect(shown('👩'.repeat(200))).toBe('👩'.repeat(200));
  expect(shown('👩'.repeat(201))).toBe(`${'👩'.repeat(200)}…`);
  expect(shown('a\n\0b')).toBe('a\\n\\x00b');
});
