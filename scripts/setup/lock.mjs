// One set-up at a time in a checkout: a second one waits, and a dead one's lock is taken over.
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setupFolder } from './stamps.mjs';

// An owner shows that it lives by touching the file; its pid alone may have been given to another process since.
const TOUCH_MS = 2_000;
const DEAD_MS = 30_000;

const file = path.join(setupFolder, 'lock');

export async function withLock(work) {
  mkdirSync(setupFolder, { recursive: true });
  let told = false;
  while (!take()) {
    if (!told) console.log('  … waiting for another set-up in this folder');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const heartbeat = setInterval(() => utimesSync(file, new Date(), new Date()), TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(file, { force: true });
  }
}

function take() {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!ownerLives()) rmSync(file, { force: true });
    return false;
  }
}

function ownerLives() {
  try {
    if (Date.now() - statSync(file).mtimeMs > DEAD_MS) return false;
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
