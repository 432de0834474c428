// Generates the TypeScript and Python stubs and the table of recipe fields from proto/. `npm run proto` after a change; the tests fail on drift.
// `npm run proto -- --baseline` also makes proto/ the image that later changes must not break: with a release, never to silence a test.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeRecipeSchema } from './recipe-schema.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** What the trainer speaks; it knows no public service. */
const TRAINER_PROTOS = ['api', 'common', 'recipe', 'trainer'].map((name) => `stic/${name}/v1/${name === 'api' ? 'options' : name}.proto`);

/** Writes stubs and table below `out` (the repository itself by default), each at its usual place. */
export async function generate(out = root) {
  const run = (command, args) => execFileSync(command, args, { cwd: root, stdio: 'inherit' });
  run(path.join(root, 'node_modules/.bin/buf'), ['generate', '--template', 'proto/buf.gen.yaml', '-o', out]);
  // ts-proto writes what is imported for its options alone, too; nothing needs it.
  for (const file of ['protobuf/descriptor.ts', 'api/annotations.ts']) rmSync(path.join(out, 'api/src/gen/google', file));
  run(path.join(root, 'node_modules/.bin/buf'), ['build', '-o', path.join(out, 'api/descriptors.binpb')]);
  const python = path.join(out, 'trainer-py/stic');
  rmSync(python, { recursive: true, force: true });
  mkdirSync(python, { recursive: true });
  const target = path.join(out, 'trainer-py');
  run(path.join(root, 'trainer-py/.venv/bin/python'), [
    '-m',
    'grpc_tools.protoc',
    '-Iproto',
    `--python_out=${target}`,
    `--pyi_out=${target}`,
    `--grpc_python_out=${target}`,
    ...TRAINER_PROTOS,
  ]);
  writeFileSync(path.join(python, 'py.typed'), '');
  await writeRecipeSchema(out);
}

/** Writes the descriptors the tests' `buf breaking` compares with. */
export function renewBaseline() {
  execFileSync(path.join(root, 'node_modules/.bin/buf'), ['build', 'proto', '--exclude-source-info', '-o', 'proto/baseline.binpb'], {
    cwd: root,
    stdio: 'inherit',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(path.join(root, 'trainer-py/.venv')))
    throw new Error('Run `npm run setup` first: the Python generator lives in trainer-py/.venv.');
  await generate();
  if (process.argv.includes('--baseline')) renewBaseline();
}
