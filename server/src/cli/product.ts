import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from '../platform/config/config.js';
import { endProcess, isAlive } from '../platform/processes/process-table.js';
import { CliError } from './cli-error.js';

const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 60_000;

/** A running product: where it is, and how it ends. */
export type Product = {
  http: string;
  grpc: string;
  /** Adopted ones are left running by stop(). */
  adopted: boolean;
  /** Rejects when the server ends although nobody asked it to. */
  failure: Promise<never>;
  stop: () => Promise<void>;
};

/** What a demo leaves for the next one on the same state folder. */
type Note = { http_port: number; grpc_port: number; server_pid: number; demo_pid: number };

/** Adopts the product that runs on this state folder, or starts one and waits until it is ready. */
export async function openProduct(config: Config): Promise<Product> {
  const note = readNote(config);
  for (const [httpPort, grpcPort] of [
    [note?.http_port, note?.grpc_port],
    [config.httpPort, config.grpcPort],
  ]) {
    if (httpPort && grpcPort && (await isOurs(config, httpPort))) return adopt(config, httpPort, grpcPort, note);
  }
  return start(config);
}

/** A server left by a demo that was killed is this demo's to stop; anybody else's is not. */
function adopt(config: Config, httpPort: number, grpcPort: number, note: Note | undefined): Product {
  const orphan = note !== undefined && note.http_port === httpPort && isAlive(note.server_pid) && !isAlive(note.demo_pid);
  if (orphan) writeNote(config, { ...note, demo_pid: process.pid });
  return {
    ...addresses(config, httpPort, grpcPort),
    adopted: !orphan,
    failure: new Promise<never>(() => {}),
    stop: async () => {
      if (orphan) await stopServer(config, note.server_pid);
    },
  };
}

async function start(config: Config): Promise<Product> {
  const [httpPort, grpcPort] = await choosePorts(config);
  const log = path.join(config.state, 'logs/demo-server.log');
  mkdirSync(path.dirname(log), { recursive: true });
  const offset = existsSync(log) ? statSync(log).size : 0;
  const out = openSync(log, 'a');
  const child = spawn(process.execPath, ['--enable-source-maps', fileURLToPath(new URL('../main.js', import.meta.url))], {
    // In a group of its own: Ctrl-C reaches the demo, and the demo ends the server in order.
    detached: true,
    stdio: ['ignore', out, out],
    env: { ...process.env, STIC_STATE: config.state, STIC_HTTP_PORT: String(httpPort), STIC_GRPC_PORT: String(grpcPort) },
  });
  closeSync(out);
  const pid = child.pid;
  if (pid === undefined) throw new CliError('The server process could not be started.');
  writeNote(config, { http_port: httpPort, grpc_port: grpcPort, server_pid: pid, demo_pid: process.pid });
  let stopping = false;
  const failure = new Promise<never>((_, reject) => {
    child.once('exit', () => {
      if (!stopping) reject(new CliError(`The server ended unexpectedly.\n${lastWords(log, offset)}`, `Its whole log is ${log}.`));
    });
  });
  failure.catch(() => {});
  const stop = async (): Promise<void> => {
    stopping = true;
    await stopServer(config, pid);
  };
  try {
    await Promise.race([untilReady(config, httpPort), failure]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...addresses(config, httpPort, grpcPort), adopted: false, failure, stop };
}

/** The configured ports; when others hold the defaults and nobody chose them, free ones. */
async function choosePorts(config: Config): Promise<[number, number]> {
  const chosen = process.env['STIC_HTTP_PORT'] !== undefined || process.env['STIC_GRPC_PORT'] !== undefined;
  const free = (await isFree(config.host, config.httpPort)) && (await isFree(config.host, config.grpcPort));
  if (config.httpPort !== 0 && config.grpcPort !== 0 && (chosen || free)) return [config.httpPort, config.grpcPort];
  return [await freePort(config.host), await freePort(config.host)];
}

async function untilReady(config: Config, httpPort: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (await answers(config, httpPort, '/api/health')) return;
    await delay(100);
  }
  throw new CliError(`The server was not ready after ${READY_WITHIN_MS / 1000} seconds.`, `See ${path.join(config.state, 'logs')}.`);
}

/** True when a server on this port has a trainer on this state's artifact store. */
async function isOurs(config: Config, httpPort: number): Promise<boolean> {
  const id = path.join(config.store, 'id');
  if (!existsSync(id)) return false;
  const trainers = await answers(config, httpPort, '/api/trainers');
  return trainers !== undefined && trainers.includes(readFileSync(id, 'utf8').trim());
}

async function answers(config: Config, httpPort: number, what: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${addresses(config, httpPort, 0).http}${what}`, { signal: AbortSignal.timeout(5_000) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

async function stopServer(config: Config, pid: number): Promise<void> {
  await endProcess(pid, 'SIGINT', 'SIGKILL', STOP_WITHIN_MS);
  rmSync(noteFile(config), { force: true });
}

function addresses(config: Config, httpPort: number, grpcPort: number): { http: string; grpc: string } {
  const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
  return { http: `http://${host}:${httpPort}`, grpc: `${host}:${grpcPort}` };
}

/** What the server said at its end: plain lines as they are, log records by their message. */
function lastWords(log: string, offset: number): string {
  const lines = readFileSync(log).subarray(offset).toString().trim().split('\n').slice(-12);
  return lines.map((line) => /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line).join('\n');
}

const noteFile = (config: Config): string => path.join(config.state, 'demo/server.json');

function readNote(config: Config): Note | undefined {
  return existsSync(noteFile(config)) ? (JSON.parse(readFileSync(noteFile(config), 'utf8')) as Note) : undefined;
}

function writeNote(config: Config, note: Note): void {
  mkdirSync(path.dirname(noteFile(config)), { recursive: true });
  writeFileSync(noteFile(config), JSON.stringify(note));
}

async function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .once('error', () => resolve(false))
      .listen(port, host, () => probe.close(() => resolve(true)));
  });
}

async function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .once('error', reject)
      .listen(0, host, () => {
        const address = probe.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        probe.close(() => resolve(port));
      });
  });
}
