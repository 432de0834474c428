import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { parseOptions } from './arguments.js';
import { repositoryRoot } from '../platform/config/repository.js';
import { CliError } from './cli-error.js';
import { helpOf } from './help.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-cli-'));
const file = path.join(folder, 'rows.json');
writeFileSync(file, '[]');
after(() => rmSync(folder, { recursive: true }));

function refused(args: string[], message: RegExp): void {
  assert.throws(
    () => parseOptions(args),
    (error) => error instanceof CliError && message.test(error.message),
    args.join(' '),
  );
}

test('without options the tiny recipe runs on the embedded world', () => {
  assert.deepEqual(parseOptions([]), {
    exit: false,
    arms: false,
    json: undefined,
    images: undefined,
    imageList: undefined,
    instructions: undefined,
    pairs: undefined,
    imageRoot: undefined,
    model: undefined,
    preset: 'tiny',
    seed: undefined,
    maxImages: undefined,
    set: [],
    state: undefined,
  });
  assert.equal(parseOptions(['--help']), undefined);
});

test('one of your own models starts from the paper unless a preset is named', () => {
  assert.equal(parseOptions(['--model', folder])?.preset, 'paper');
  assert.equal(parseOptions(['--model', folder, '--preset', 'tiny'])?.preset, 'tiny');
});

test('paths are those of the folder the command was typed in', (t) => {
  const before = process.env['INIT_CWD'];
  t.after(() => {
    if (before === undefined) delete process.env['INIT_CWD'];
    else process.env['INIT_CWD'] = before;
  });
  process.env['INIT_CWD'] = folder;
  const options = parseOptions(['--images', '.', '--instructions', 'rows.json', '--json', 'out.json', '--state', 'state']);
  assert.deepEqual(
    [options?.images, options?.instructions, options?.json, options?.state],
    [folder, file, path.join(folder, 'out.json'), path.join(folder, 'state')],
  );
});

test("pairs of one's own need no images, and their file may have images elsewhere", () => {
  const options = parseOptions(['--pairs', file, '--image-root', folder, '--instructions', file]);
  assert.deepEqual([options?.images, options?.pairs, options?.imageRoot, options?.instructions], [undefined, file, folder, file]);
});

test('fields are set in the order given, and a value may hold an equals sign', () => {
  const options = parseOptions(['--set', 'dpo.beta=0.2', '--set', 'infuse.template=a=b', '--seed', '0', '--max-images', '12']);
  assert.deepEqual(options?.set, [
    ['dpo.beta', '0.2'],
    ['infuse.template', 'a=b'],
  ]);
  assert.deepEqual([options.seed, options.maxImages], [0, 12]);
});

test('what cannot be meant is refused by the name of the option', () => {
  refused(['--images', path.join(folder, 'nowhere')], /--images: .*nowhere does not exist/);
  refused(['--images', file], /--images: .*rows\.json is not a folder/);
  refused(['--images', folder, '--instructions', folder], /--instructions: .* is not a file/);
  refused(['--instructions', file], /--instructions needs --images or --pairs/);
  refused(['--images', folder, '--image-root', folder], /--image-root needs --instructions or --pairs/);
  refused(['--arms', '--images', folder], /--arms belongs to the embedded world/);
  refused(['--arms', '--pairs', file], /--arms belongs to the embedded world/);
  refused(['--seed', '-1'], /--seed/);
  refused(['--seed', '1.5'], /--seed: "1\.5" is not a whole number from 0/);
  refused(['--max-images', '0'], /--max-images: "0" is not a whole number from 1/);
  refused(['--set', 'dpo.beta'], /--set: "dpo\.beta" is not FIELD=VALUE/);
  refused(['--set', '=1'], /is not FIELD=VALUE/);
  refused(['--fast'], /--fast/);
  refused(['images'], /images/);
});

test('a file for the result that cannot be written is refused before the work', () => {
  refused(['--json', path.join(folder, 'nowhere/out.json')], /--json: .*out\.json cannot be written: its folder does not exist/);
  refused(['--json', folder], /--json: .* cannot be written: it is a folder/);
  refused(['--json', path.join(file, 'out.json')], /--json: .* cannot be written: a part of the path is a file/);
  parseOptions(['--json', path.join(folder, 'new.json')]);
  assert.ok(!existsSync(path.join(folder, 'new.json')), 'the check leaves nothing');
  parseOptions(['--json', file]);
  assert.equal(readFileSync(file, 'utf8'), '[]', 'what is there stays until there is a result');
});

test('the help names every family of models', () => {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const models = readFileSync(path.join(repositoryRoot(), 'docs/reference/models.md'), 'utf8');
  const families = [...models.matchAll(/^\| `(\w+?)For\w+`/gm)].map(([, family = '']) => family);
  assert.ok(families.length >= 5);
  for (const family of families) assert.ok(plain(helpOf('demo')).includes(plain(family)), family);
});

test('the help of every command fits 80 columns', () => {
  for (const verb of ['start', 'demo', 'stic', 'chaos'] as const) {
    assert.deepEqual(
      helpOf(verb)
        .split('\n')
        .filter((line) => line.length > 80),
      [],
      verb,
    );
  }
});

test('every option is in the help', () => {
  for (const option of [
    'exit',
    'arms',
    'json',
    'images',
    'instructions',
    'pairs',
    'image-root',
    'model',
    'preset',
    'seed',
    'max-images',
    'set',
    'state',
  ])
    assert.match(helpOf('demo'), new RegExp(`^  --${option} `, 'm'));
});
