// The checks that need no running program. Each counts as one test.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { differing } from '../docs.mjs';
import { generate } from '../proto.mjs';
import { schemaFiles } from '../recipe-schema.mjs';
import { collect } from '../setup/command.mjs';
import { python, trainerFolder } from '../setup/python.mjs';
import { root } from '../setup/stamps.mjs';
import { linkCheckWorks, linksLead } from './links.mjs';
import { failuresAreSeen } from './runner.mjs';
import { diagramsAreCurrent } from './states.mjs';

const bin = (name) => path.join(root, 'node_modules/.bin', name);
const tool = (name) => path.join(path.dirname(python), name);
const tool_in_root = (program, args) => () => collect(program, args, { cwd: root });

/** Name and work of every check; the work gives an exit code and what to show when it is not 0. */
export const checks = [
  { name: 'eslint', run: tool_in_root(bin('eslint'), ['.', '--max-warnings', '0']) },
  { name: 'prettier', run: tool_in_root(bin('prettier'), ['--check', '.', '--log-level', 'warn']) },
  { name: 'types of the server and its tests', run: tool_in_root(bin('tsc'), ['-p', '.', '--noEmit']) },
  { name: 'types of the console', run: tool_in_root(bin('tsc'), ['-p', 'console', '--noEmit']) },
  { name: 'ruff check', run: tool_in_root(tool('ruff'), ['check', 'trainer-py']) },
  { name: 'ruff format', run: tool_in_root(tool('ruff'), ['format', '--check', 'trainer-py']) },
  { name: 'mypy --strict', run: () => collect(python, ['-m', 'mypy', '--strict', 'stic_trainer'], { cwd: trainerFolder }) },
  { name: 'buf lint', run: tool_in_root(bin('buf'), ['lint', 'proto']) },
  { name: 'buf breaking', run: tool_in_root(bin('buf'), ['breaking', 'proto', '--against', 'proto/baseline.binpb']) },
  { name: 'generated files are those of proto/', run: stubsAreCurrent },
  { name: 'generated pages are those of the code', run: pagesAreCurrent },
  { name: 'state diagrams show the states of the protos', run: diagramsAreCurrent },
  { name: 'links lead somewhere', run: linksLead },
  { name: 'the link check finds broken links', run: linkCheckWorks },
  { name: 'the test runner sees failures', run: failuresAreSeen },
  { name: 'no paths of one machine in the repository', run: noMachinePaths },
];

async function pagesAreCurrent() {
  const names = await differing();
  return { code: names.length, output: `These differ from what the code gives; run \`npm run docs\`:\n${names.join('\n')}` };
}

/** Generates stubs and recipe table elsewhere and compares them with the committed ones. */
async function stubsAreCurrent() {
  const fresh = mkdtempSync(path.join(os.tmpdir(), 'stubs-'));
  try {
    await generate(fresh);
    const differing = ['api/src/gen', 'api/descriptors.binpb', 'trainer-py/stic', ...schemaFiles].flatMap((folder) => {
      const [ours, theirs] = [contents(path.join(root, folder)), contents(path.join(fresh, folder))];
      const names = new Set([...ours.keys(), ...theirs.keys()]);
      return [...names].filter((name) => ours.get(name) !== theirs.get(name)).map((name) => path.join(folder, name));
    });
    return { code: differing.length, output: `These differ from what proto/ gives; run \`npm run proto\`:\n${differing.join('\n')}` };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function contents(folder) {
  if (!existsSync(folder)) return new Map();
  if (statSync(folder).isFile()) return new Map([['', readFileSync(folder, 'utf8')]]);
  const files = readdirSync(folder, { recursive: true }).filter(
    (name) => !name.includes('__pycache__') && statSync(path.join(folder, name)).isFile(),
  );
  return new Map(files.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}

/** Looks for home folders, this checkout's own path and package registry addresses in what git tracks. */
async function noMachinePaths() {
  const { code, output } = await collect('git', ['ls-files', '-z'], { cwd: root });
  if (code !== 0) return { code, output };
  const own = root.split(path.sep).length > 2 ? [root + path.sep] : [];
  const patterns = [...own, ...['root', 'home/[a-z]+', 'Users/[A-Za-z]+'].map((folder) => `/${folder}/`), '"resolved": "(?=http)'];
  const expression = new RegExp(
    patterns
      .map((pattern, i) =>
        i < own.length ? (RegExp.escape?.(pattern) ?? pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : `(?<![\\w.])${pattern}`,
      )
      .join('|'),
  );
  const found = output
    .split('\0')
    .filter(Boolean)
    .flatMap((name) => linesMatching(name, expression));
  return { code: found.length, output: found.join('\n') };
}

function linesMatching(name, expression) {
  const file = path.join(root, name);
  if (!existsSync(file) || !/\.(mjs|js|ts|tsx|json|jsonl|py|pyi|md|toml|txt|yaml|yml|html|css|proto)$|Dockerfile$|\.npmrc$/.test(name))
    return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, i) => (expression.test(line) ? [`${name}:${i + 1}: ${line.trim().slice(0, 160)}`] : []));
}
