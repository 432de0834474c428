import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
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
  assert.match(line?.time ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual([line?.level, line?.context, line?.msg], [30, 'Server', 'ready']);
});

test('a password in an address is never written, wherever it stands', () => {
  const lines = logged('debug', (logger) => {
    logger.warn('cannot reach postgres://stic:very-secret@db:5432/stic, nor redis://:very-secret@cache', 'Database');
    logger.error(new Error('connect postgresql://u:very-secret@h/d'), 'Database');
    logger.debug('first', 'postgres://stic:very-secret@db', 'Database');
  });
  assert.equal(lines.length, 3);
  assert.ok(!JSON.stringify(lines).includes('very-secret'), JSON.stringify(lines));
  assert.match(lines[0]?.msg ?? '', /postgres:\/\/stic:\*\*\*@db:5432\/stic/);
});

test("an error is written with its stack, and the framework's chatter only when asked for", () => {
  const write = (logger: PinoLogger): void => {
    logger.log('mapped a route', 'RoutesResolver');
    logger.error(new Error('broken'), 'Server');
  };
  const [line, ...none] = logged('info', write);
  assert.deepEqual(none, []);
  assert.match(line?.msg ?? '', /^Error: broken\n +at /);
  assert.equal(logged('debug', write).length, 2);
});
