import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const main = fileURLToPath(new URL('../../server/src/main.js', import.meta.url));
const root = await repositoryRoot(path.dirname(main));
const trainer = path.join(root, 'trainer-py');

/** The whole product, started as a person starts it: server, embedded Postgres, sidecar; and a small world to train on. */
export interface Product {
  url: string;
  world: World;
  stop: () => Promise<void>;
}

export interface World {
  /** 24 pictures. */
  images: string;
  /** The same, and three files that are no pictures. */
  brokenImages: string;
  instructions: string;
  benchmark: string;
}

export async function startProduct(): Promise<Product> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stic-browser-'));
  // Postgres, started by root, runs as another user and must get through.
  await chmod(folder, 0o755);
  const world = await renderWorld(folder);
  const port = await freePort();
  const server = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      STIC_STATE: path.join(folder, 'state'),
      STIC_HTTP_PORT: String(port),
      STIC_GRPC_PORT: String(await freePort()),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const url = `http://127.0.0.1:${String(port)}`;
  const stop = async () => {
    if (server.exitCode === null) {
      server.kill('SIGINT');
      await once(server, 'exit');
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  for (let tries = 0; !(await answers(url)); tries++) {
    if (server.exitCode !== null || tries > 240) {
      await stop();
      throw new Error(`The server did not start:\n${output.join('').slice(-4000)}`);
    }
    await sleep(250);
  }
  return { url, world, stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/api/health`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function renderWorld(folder: string): Promise<World> {
  const out = path.join(folder, 'world');
  const sizes = ['--images', '24', '--instructions', '12', '--test-scenes', '8'];
  await promisify(execFile)(
    path.join(trainer, '.venv/bin/python'),
    ['-m', 'stic_trainer.world', 'render', '--out', out, '--seed', '4242', ...sizes],
    { cwd: trainer },
  );
  const images = path.join(out, 'images');
  return {
    images,
    brokenImages: await withBrokenImages(images, await mkdtemp(path.join(folder, 'broken-'))),
    instructions: path.join(out, 'instructions', 'instructions.json'),
    benchmark: path.join(out, 'benchmarks', 'world-descriptions'),
  };
}

async function withBrokenImages(from: string, to: string): Promise<string> {
  const names = (await readdir(from)).sort();
  for (const name of names) await copyFile(path.join(from, name), path.join(to, name));
  const [first = ''] = names;
  await copyFile(path.join(from, first), path.join(to, 'cut.png'));
  await truncate(path.join(to, 'cut.png'), 200);
  await writeFile(path.join(to, 'empty.jpg'), '');
  await writeFile(path.join(to, 'letter.png'), 'This is a letter, not a picture.');
  return to;
}

async function repositoryRoot(folder: string): Promise<string> {
  const description = await readFile(path.join(folder, 'package.json'), 'utf8').catch(() => '{}');
  if ('workspaces' in (JSON.parse(description) as object)) return folder;
  return repositoryRoot(path.dirname(folder));
}
