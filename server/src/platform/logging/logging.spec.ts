import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openLogs, PinoLogger } from './logging.js';

type Line = { time: string; level: number; context?: string; msg: string };

/** What the work has put into the log file. */
function logged(logLevel: 'debug' | 'info' | 'warn', work: (logger: PinoLogger) => void): Line[] {
  const state = mkdtempSync(path.join(os.tmpdir(), 'stic-log-'));
  try {
    work(new PinoLogger(openLogs({ state, logLevel })));
    const text = readFileSync(path.join(state, 'logs/server.log'), 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  } finally {
    rmSync(state, { recursive: true });
  }
}

test('a line says when, who and what', () => {
  const [line] = logged('info', (logger) => {
    logger.log('ready', 'Server');
  });
  expect(line?.time ?? '').toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect([line?.level, line?.context, line?.msg]).toStrictEqual([30, 'Server', 'ready']);
});

test('a password in an address is never written, wherever it stands', () => {
  const lines = logged('debug', (logger) => {
    logger.warn('cannot reach postgres://stic:very-secret@db:5432/stic, nor redis://:very-secret@cache', 'Database');
    logger.error(new Error('connect postgresql://u:very-secret@h/d'), 'Database');
    logger.debug('first', 'postgres://stic:very-secret@db', 'Database');
  });
  expect(lines).toHaveLength(3);
  expect(JSON.stringify(lines), JSON.stringify(lines)).not.toContain('very-secret');
  expect(lines[0]?.msg ?? '').toMatch(/postgres:\/\/stic:\*\*\*@db:5432\/stic/);
});

test("an error is written with its stack, and the framework's chatter only when asked for", () => {
  const write = (logger: PinoLogger): void => {
    logger.log('mapped a route', 'RoutesResolver');
    logger.error(new Error('broken'), 'Server');
  };
  const [line, ...none] = logged('info', write);
  expect(none).toStrictEqual([]);
  expect(line?.msg ?? '').toMatch(/^Error: broken\n +at /);
  expect(logged('debug', write)).toHaveLength(2);
});
