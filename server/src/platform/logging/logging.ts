import path from 'node:path';
import { type LoggerService } from '@nestjs/common';
import pino from 'pino';
import { currentRequestId } from '../caller.js';
import type { Config } from '../config/config.js';
import { printable } from '../printable.js';

/** A password in a connection string, wherever a message quotes one. */
const CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s@/]+@/gi;

export const redact = (text: string): string => text.replaceAll(CREDENTIALS, '$1:***@');

/** Everything as JSON lines to `<state>/logs/server.log`; the same in short on the terminal. */
export function openLogs(config: Pick<Config, 'state' | 'logLevel'>): pino.Logger {
  const file = pino.destination({ dest: path.join(config.state, 'logs/server.log'), mkdir: true, append: true, sync: true });
  const level = config.logLevel;
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream([
      { level, stream: file },
      { level, stream: { write: (line: string) => void process.stdout.write(short(line, level)) } },
    ]),
  );
}

type Line = { level: number; time: string; context?: string; msg: string };

function short(json: string, shown: Config['logLevel']): string {
  const { level, time, context, msg } = JSON.parse(json) as Line;
  if (context !== undefined && EXPLAINED_CONTEXTS.has(context) && shown !== 'debug') return '';
  const mark = level >= 50 ? 'ERROR ' : level >= 40 ? 'warning ' : '';
  return `${time.slice(11, 19)} ${context === undefined ? '' : `${context.toLowerCase()}: `}${mark}${printable(msg.split('\n')[0] ?? '')}\n`;
}

/** Nest's `new Logger('Context')` writing to pino. */
export class PinoLogger implements LoggerService {
  constructor(private readonly logger: pino.Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    // Nest's own start-up chatter ("InstanceLoader", "RoutesResolver", ...) is of interest only when something is wrong.
    const quiet = FRAMEWORK_CONTEXTS.has(String(rest.at(-1)));
    this.write(quiet ? 'debug' : 'info', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: pino.Level, message: unknown, rest: unknown[]): void {
    const context = rest.at(-1);
    const text = [message, ...rest.slice(0, -1)]
      .map((part) => (part instanceof Error ? (part.stack ?? part.message) : String(part)))
      .join('\n');
    const requestId = currentRequestId();
    const fields = { ...(typeof context === 'string' && { context }), ...(requestId !== undefined && { request_id: requestId }) };
    this.logger[level](fields, redact(text));
  }
}

/** Context of the record of a failed start. */
export const START_CONTEXT = 'Start';

/** What these report ends the start, and the launcher says it in words. */
const EXPLAINED_CONTEXTS = new Set([START_CONTEXT, 'ExceptionHandler', 'NestApplication', 'TypeOrmModule']);

const FRAMEWORK_CONTEXTS = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);
