import path from 'node:path';
import { Logger } from '@nestjs/common';
import type { Config } from './config/config.js';
import { DomainError, messageOf } from './errors.js';
import { redact, START_CONTEXT } from './logging/logging.js';
import { printable } from './printable.js';

/**
 * Says on stderr why the server did not start, as one sentence and a hint. The stack goes to the log, once there is one (`logged` is
 * its configuration), and to stderr only with STIC_LOG_LEVEL=debug.
 */
export function explainStart(error: unknown, logged: Config | undefined): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (logged !== undefined) new Logger(START_CONTEXT).error(stack);
  const say = (line: string): void => void process.stderr.write(`${redact(line)}\n`);
  say(`error: ${printable(sentence(error))}`);
  const hint = error instanceof DomainError ? error.hint : whereItIs(logged);
  if (hint !== undefined) say(`hint: ${printable(hint)}`);
  if (process.env['STIC_LOG_LEVEL'] === 'debug') say(stack);
}

const sentence = (error: unknown): string =>
  error instanceof DomainError ? error.message : `The server could not start: ${messageOf(error).split('\n')[0] ?? ''}`;

const whereItIs = (logged: Config | undefined): string =>
  logged === undefined
    ? 'STIC_LOG_LEVEL=debug shows the whole error.'
    : `The whole error is in ${path.join(logged.state, 'logs/server.log')}.`;
