// Counts and failures out of the reports of jest (JSON) and pytest (JUnit).
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Reads a report of jest: numbers of passed, failed and skipped tests and the failures' names and texts. */
export function readJestReport(file) {
  const result = { passed: 0, failed: 0, skipped: 0, failures: [] };
  if (!existsSync(file)) return result;
  for (const { name, message, status, assertionResults } of JSON.parse(readFileSync(file, 'utf8')).testResults) {
    const source = path.basename(name).replace(/js$/, 'ts');
    for (const { status: outcome, ancestorTitles, title, failureMessages } of assertionResults) {
      if (outcome === 'passed') result.passed++;
      else if (outcome !== 'failed') result.skipped++;
      else {
        result.failed++;
        result.failures.push({ name: [source, ...ancestorTitles, title].join(' › '), text: withoutRunner(failureMessages.join('\n')) });
      }
    }
    if (status === 'failed' && !assertionResults.some((one) => one.status === 'failed')) {
      result.failed++;
      result.failures.push({ name: source, text: message });
    }
  }
  return result;
}

/** Without the first line, which repeats the name, and the runner's own frames. */
function withoutRunner(text) {
  const lines = text.split('\n').slice(1);
  return lines
    .filter((line) => !/^ +at .*(jest-setup\.mjs|global-expect\.|node_modules\/(expect|jest|tinypool)|node:internal)/.test(line))
    .map((line) => line.replace(/^ {4}/, ''))
    .join('\n')
    .trim();
}

/** The same of a JUnit report. */
export function readJUnitReport(file) {
  const result = { passed: 0, failed: 0, skipped: 0, failures: [] };
  if (!existsSync(file)) return result;
  const xml = readFileSync(file, 'utf8');
  for (const [, attributes, selfClosing, body] of xml.matchAll(/<testcase\b((?:[^">]|"[^"]*")*?)(?:(\/)>|>([\s\S]*?)<\/testcase>)/g)) {
    const failure = selfClosing
      ? null
      : /<(?:failure|error)\b((?:[^">]|"[^"]*")*)>([\s\S]*?)<\/(?:failure|error)>|<(?:failure|error)\b((?:[^">]|"[^"]*")*)\/>/.exec(body);
    if (failure) {
      result.failed++;
      const message = attribute(failure[1] ?? failure[3] ?? '', 'message');
      result.failures.push({ name: nameOf(attributes), text: [message, plain(failure[2] ?? '')].filter(Boolean).join('\n') });
    } else if (!selfClosing && /<skipped\b/.test(body)) {
      result.skipped++;
    } else {
      result.passed++;
    }
  }
  return result;
}

function nameOf(attributes) {
  return [attribute(attributes, 'classname'), attribute(attributes, 'name')].filter((part) => part && part !== 'test').join(' › ');
}

function attribute(text, name) {
  return plain(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '');
}

function plain(text) {
  const entities = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text
    .replace(/<!\[CDATA\[([\s\S]*?)\]\]>/g, '$1')
    .replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, word) =>
      word ? (entities[word] ?? whole) : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16)),
    )
    .trim();
}
