import { spawn } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../platform/config/config.js';
import { CliError } from './cli-error.js';

/** Folders and files the embedded world's renderer writes. */
export type WorldData = { images: string; instructions: string; imageRoot: string; benchmarks: string[] };

// Seeds of the demo's range (docs/explanation/embedded-world.md): none of its scenes was seen when the base was trained or a default chosen.
const FIRST_SEED = 2_000;
const SEEDS = 998_000;
const BENCHMARKS = ['world-descriptions', 'world-questions', 'world-multi'];

/** Renders the world of a seed once per state folder and says where it is. */
export async function worldData(config: Config, seed: number): Promise<WorldData> {
  const worldSeed = FIRST_SEED + (seed % SEEDS);
  const folder = path.join(config.state, 'demo', `world-${worldSeed}`);
  if (!existsSync(folder)) await render(config, worldSeed, folder);
  const instructions = path.join(folder, 'instructions');
  return {
    images: path.join(folder, 'images'),
    instructions: path.join(instructions, 'instructions.json'),
    imageRoot: instructions,
    benchmarks: BENCHMARKS.map((name) => path.join(folder, 'benchmarks', name)),
  };
}

async function render(config: Config, seed: number, folder: string): Promise<void> {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  await mkdir(path.dirname(folder), { recursive: true });
  const said = await run(
    config.paths.python,
    ['-m', 'stic_trainer.world', 'render', '--out', partial, '--seed', String(seed)],
    config.paths.trainer,
  );
  if (said.code !== 0)
    throw new CliError(
      `Rendering the embedded world's pictures failed:\n${said.output.trim()}`,
      'Check the disk space of the state folder.',
    );
  renameSync(partial, folder);
}

function run(program: string, args: string[], cwd: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}
