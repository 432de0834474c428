// `npm run dev`: the product on a state folder of its own, restarted when its sources change, and the console with hot reload.
// Compiler, server and the console's server end together at Ctrl-C.
import { spawn } from 'node:child_process';
import { readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { options } from './setup/options.mjs';
import { root, setupFolder } from './setup/stamps.mjs';
import { printProblem } from './setup/terminal.mjs';
import { setup } from './setup.mjs';

const CONSOLE_PORT = 5173;
const SETTLE_MS = 300;
// Beside dist/, which the other commands build: they may run meanwhile.
const compiled = path.join(setupFolder, 'dev');
const env = { STIC_STATE: path.join(root, '.stic-dev'), STIC_HTTP_PORT: '7520', STIC_GRPC_PORT: '7521', ...process.env };

const stopping = new AbortController();
/** One restart at a time; a change during one leads to the next. */
let restarting = Promise.resolve();
let server;

try {
  options('dev', process.argv.slice(2), {});
  await setup();
  const compiler = compile();
  const console_ = await serveConsole();
  const watchers = [
    onChange('trainer-py/stic_trainer', (file) => file.endsWith('.py'), restartTrainer),
    ...['recipes', 'prompts'].map((folder) => onChange(folder, (file) => file.endsWith('.json'), restartServer)),
  ];
  say(`console with hot reload: ${console_.resolvedUrls.local[0]}; state in ${env.STIC_STATE}; \`npm run seed\` fills it`);
  await untilSignal();
  say('stopping');
  for (const watcher of watchers) watcher.close();
  compiler.kill();
  await Promise.all([console_.close(), restarting.then(() => end('SIGINT'))]);
} catch (error) {
  printProblem(error);
  process.exitCode = 1;
}

/** The TypeScript compiler; every complete pass restarts the server. */
function compile() {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const output = ['--outDir', compiled, '--incremental', '--tsBuildInfoFile', path.join(compiled, 'tsbuildinfo.json')];
  const child = spawn(process.execPath, [tsc, '-p', root, '--watch', '--preserveWatchOutput', ...output], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.trim() !== '') console.log(line);
    if (/Found 0 errors/.test(line)) restartServer();
  });
  return child;
}

/** Vite in this process, with the API of the server that runs here. */
async function serveConsole() {
  const { createServer } = await import('vite');
  // The server refuses an Origin that is not the Host: both stay those of the page.
  const api = { target: `http://127.0.0.1:${env.STIC_HTTP_PORT}`, changeOrigin: false };
  const vite = await createServer({
    root: path.join(root, 'console'),
    clearScreen: false,
    server: { host: '127.0.0.1', port: CONSOLE_PORT, proxy: { '/api': api } },
  });
  return vite.listen();
}

function restartServer() {
  restarting = restarting.then(async () => {
    if (stopping.signal.aborted) return;
    // Killed, it leaves database and trainer running, and the next one adopts them: a restart takes a second, not a shut-down.
    await end('SIGKILL');
    start();
  });
}

function start() {
  const child = spawn(process.execPath, ['--enable-source-maps', path.join(compiled, 'server/src/main.js')], {
    env,
    stdio: 'inherit',
    // Ctrl-C in the terminal reaches this process, which ends the server once.
    detached: true,
  });
  server = { child, ended: new Promise((resolve) => child.once('exit', resolve)) };
  child.once('exit', (code) => {
    if (code !== null && code !== 0) say('the server has ended; the next change starts it again');
  });
}

async function end(signal) {
  server?.child.kill(signal);
  await server?.ended;
}

/** The server starts another trainer in place of the one that ends; its running stage continues there. */
function restartTrainer() {
  try {
    process.kill(JSON.parse(readFileSync(path.join(env.STIC_STATE, 'trainer.json'), 'utf8')).pid, 'SIGTERM');
  } catch {
    // None is running yet.
  }
}

function onChange(folder, isSource, restart) {
  let timer;
  return watch(path.join(root, folder), { recursive: true }, (_, file) => {
    if (file === null || !isSource(file)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      say(`${path.join(folder, file)} has changed`);
      restart();
    }, SETTLE_MS);
  });
}

function untilSignal() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => (stopping.abort(), resolve()));
  });
}

function say(text) {
  console.log(`dev: ${text}`);
}
