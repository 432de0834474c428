import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from '../platform/config/config.js';
import { usableFolder } from '../platform/path-faults.js';
import { endProcess, isAlive } from '../platform/processes/process-table.js';
import { type Owner, ownerOf } from '../platform/processes/state-folder.js';
import { assertFree, authority, CONSOLE, GRPC, reachable } from '../platform/transport/addresses.js';
import { CliError } from './cli-error.js';
import { dim, print } from './terminal.js';

const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 60_000;
const LOOK_MS = 100;
const TELL_AFTER_MS = 2_000;

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

/** What a demo leaves for the next one on the same state folder: the server that it has started and has to stop. */
type Note = { server_pid: number; demo_pid: number };

/**
 * Adopts the server of this state folder, also one that another demo is just starting, or starts one; ready when it returns.
 * Throws when `signal` is aborted meanwhile; what was started is then stopped.
 */
export async function openProduct(config: Config, signal: AbortSignal): Promise<Product> {
  usableFolder(config.state, 'STIC_STATE');
  usableFolder(path.join(config.state, 'logs'), 'STIC_STATE');
  for (let mayStart = true; ;) {
    const owner = ownerOf(config.state);
    if (owner) {
      const product = await adopted(config, owner, signal);
      if (product) return product;
    } else if (mayStart) {
      const product = await started(config, signal);
      if (product) return product;
      mayStart = false;
    } else throw new CliError('The server of another program on this state folder ended while it started.', 'Run the command again.');
  }
}

/**
 * The owner's server once it is ready; undefined when it ends before. A server left by a demo that was killed is this demo's to stop;
 * any other is not.
 */
async function adopted(config: Config, owner: Owner, signal: AbortSignal): Promise<Product | undefined> {
  const ready = await untilReady(config, owner.pid, signal, () => {
    print(dim(`  … waiting for the server that process ${owner.pid} is starting`));
  });
  if (!ready) return undefined;
  const note = readNote(config);
  const isOrphan = note?.server_pid === owner.pid && !isAlive(note.demo_pid);
  if (isOrphan) writeNote(config, { server_pid: owner.pid, demo_pid: process.pid });
  return {
    ...ready,
    adopted: !isOrphan,
    failure: untilGone(config, owner.pid),
    stop: async () => {
      if (isOrphan) await stopServer(config, owner.pid);
    },
  };
}

/** Rejects when the owner has ended; looks while the process of this command lives. */
function untilGone(config: Config, pid: number): Promise<never> {
  const failure = new Promise<never>((_, reject) => {
    const timer = setInterval(() => {
      if (ownerOf(config.state)?.pid === pid) return;
      clearInterval(timer);
      reject(new CliError(`The server (process ${pid}) has ended.`, 'Run the same command again: it continues the run.'));
    }, LOOK_MS);
    timer.unref();
  });
  failure.catch(() => undefined);
  return failure;
}

/** A server of this demo's own; undefined when another one has claimed the state folder first. */
async function started(config: Config, signal: AbortSignal): Promise<Product | undefined> {
  const [httpPort, grpcPort] = await choosePorts(config);
  const log = path.join(config.state, 'logs/demo-server.log');
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
  let isStopping = false;
  const failure = new Promise<never>((_, reject) => {
    child.once('exit', () => {
      if (!isStopping) reject(ended(log, offset));
    });
  });
  failure.catch(() => undefined);
  const stop = async (): Promise<void> => {
    isStopping = true;
    await stopServer(config, pid);
  };
  try {
    const ready = await untilReady(config, pid, signal);
    if (!ready && ownerOf(config.state)) return undefined;
    if (!ready) return await failure;
    writeNote(config, { server_pid: pid, demo_pid: process.pid });
    return { ...ready, adopted: false, failure, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The configured ports; when others hold the defaults and nobody chose them, free ones. DomainError when a chosen one is taken. */
async function choosePorts(config: Config): Promise<[number, number]> {
  const { host, httpPort, grpcPort } = config;
  const isChosen = process.env['STIC_HTTP_PORT'] !== undefined || process.env['STIC_GRPC_PORT'] !== undefined;
  try {
    await assertFree(host, httpPort, CONSOLE);
    await assertFree(host, grpcPort, GRPC);
    return [httpPort, grpcPort];
  } catch (error) {
    if (isChosen) throw error;
    return [0, 0];
  }
}

/** Addresses of the server once it answers; undefined when it ends, or loses the state folder, before. `onWait` is told when it takes long. */
async function untilReady(
  config: Config,
  pid: number,
  signal: AbortSignal,
  onWait: () => void = () => undefined,
): Promise<{ http: string; grpc: string } | undefined> {
  const host = reachable(config.host);
  const begun = Date.now();
  let [isTold, isOwner] = [false, false];
  while (Date.now() - begun < READY_WITHIN_MS) {
    const owner = ownerOf(config.state);
    isOwner ||= owner?.pid === pid;
    if (!isAlive(pid) || (isOwner && owner?.pid !== pid)) return undefined;
    const { http_port: httpPort, grpc_port: grpcPort } = owner?.pid === pid ? owner : {};
    const http = `http://${authority(host, httpPort ?? 0)}`;
    if (httpPort !== undefined && grpcPort !== undefined && (await answers(`${http}/api/health`)))
      return { http, grpc: authority(host, grpcPort) };
    if (!isTold && Date.now() - begun > TELL_AFTER_MS) onWait();
    isTold ||= Date.now() - begun > TELL_AFTER_MS;
    await delay(LOOK_MS, undefined, { signal });
  }
  throw new CliError(`The server was not ready after ${READY_WITHIN_MS / 1000} seconds.`, `See ${path.join(config.state, 'logs')}.`);
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

async function stopServer(config: Config, pid: number): Promise<void> {
  await endProcess(pid, 'SIGINT', 'SIGKILL', STOP_WITHIN_MS);
  rmSync(noteFile(config), { force: true });
}

/** What the server said at its end: its own error and hint, else its last lines. */
function ended(log: string, offset: number): CliError {
  const lines = readFileSync(log).subarray(offset).toString().trim().split('\n');
  const said = (label: string): string | undefined => lines.findLast((line) => line.startsWith(label))?.slice(label.length);
  const message = said('error: ');
  if (message !== undefined) return new CliError(message, said('hint: '));
  return new CliError(`The server ended unexpectedly.\n${lines.slice(-12).join('\n')}`, `Its whole log is ${log}.`);
}

const noteFile = (config: Config): string => path.join(config.state, 'demo/server.json');

function readNote(config: Config): Note | undefined {
  return existsSync(noteFile(config)) ? (JSON.parse(readFileSync(noteFile(config), 'utf8')) as Note) : undefined;
}

function writeNote(config: Config, note: Note): void {
  mkdirSync(path.dirname(noteFile(config)), { recursive: true });
  writeFileSync(noteFile(config), JSON.stringify(note));
}
