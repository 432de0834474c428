// `npm run bench:trainer`: makes the benchmark's own Python environment (TRL and the product's versions) and runs the rows in it.
//   npm run bench:trainer -- --quick       small sizes, to see that everything runs
//   npm run bench:trainer -- dpo_step      one row
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { help } from '../scripts/setup/options.mjs';
import { checkOwner } from '../scripts/setup/python.mjs';
import { printProblem } from '../scripts/setup/terminal.mjs';

const bench = path.dirname(fileURLToPath(import.meta.url));
const venv = path.join(bench, '.venv');
const python = path.join(venv, 'bin/python');
const stamp = path.join(venv, 'stic-stamp');
const requirements = path.join(bench, 'requirements.txt');
const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');

help('bench', process.argv.slice(2));
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) await install();
const paths = [bench, path.join(bench, '../trainer-py')].join(path.delimiter);
const quiet = { HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false', HF_DATASETS_DISABLE_PROGRESS_BARS: '1' };
process.exitCode = await run(python, ['-m', 'stic_bench', ...process.argv.slice(2)], { ...process.env, ...quiet, PYTHONPATH: paths });

async function install() {
  const base = process.env.PYTHON ?? ['python3.11', 'python3.12', 'python3.13', 'python3'].find(isThere);
  try {
    if (existsSync(venv)) checkOwner(venv);
    rmSync(venv, { recursive: true, force: true });
  } catch (error) {
    printProblem(error);
    process.exit(1);
  }
  await must(base ?? 'python3', ['-m', 'venv', venv]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
  // First and alone: whatever asks for torch later finds this one and fetches no other.
  await must(python, [...pip, /^torch==\S+/m.exec(readFileSync(requirements, 'utf8'))[0]]);
  await must(python, [...pip, '-r', requirements]);
  writeFileSync(stamp, wanted);
}

function isThere(program) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => existsSync(path.join(folder, program)));
}

async function must(program, args) {
  const code = await run(program, args, process.env);
  if (code !== 0) {
    console.error(`${program} ${args.join(' ')} ended with ${code}`);
    process.exit(1);
  }
}

function run(program, args, env) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: 'inherit' });
    child.on('error', () => resolve(127));
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}
