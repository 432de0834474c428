import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseOptions } from './arguments.js';
import { repositoryRoot } from '../platform/config/repository.js';
import { CliError } from './cli-error.js';
import { helpOf } from './help.js';
import { ensure, thrown } from '../../../test/support/expect.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-cli-'));
const file = path.join(folder, 'rows.json');
writeFileSync(file, '[]');
afterAll(() => rmSync(folder, { recursive: true }));

function refused(args: string[], message: RegExp): void {
  expect(
    thrown(() => parseOptions(args), CliError),
    args.join(' '),
  ).toMatchObject({ message: expect.stringMatching(message) });
}

test('without options the tiny recipe runs on the embedded world', () => {
  expect(parseOptions([])).toStrictEqual({
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
  expect(parseOptions(['--help'])).toBeUndefined();
});

test('one of your own models starts from the paper unless a preset is named', () => {
  expect(parseOptions(['--model', folder])?.preset).toBe('paper');
  expect(parseOptions(['--model', folder, '--preset', 'tiny'])?.preset).toBe('tiny');
});

test('paths are those of the folder the command was typed in', () => {
  const before = process.env['INIT_CWD'];
  try {
    process.env['INIT_CWD'] = folder;
    const options = parseOptions(['--images', '.', '--instructions', 'rows.json', '--json', 'out.json', '--state', 'state']);
    expect([options?.images, options?.instructions, options?.json, options?.state]).toStrictEqual([
      folder,
      file,
      path.join(folder, 'out.json'),
      path.join(folder, 'state'),
    ]);
  } finally {
    if (before === undefined) delete process.env['INIT_CWD'];
    else process.env['INIT_CWD'] = before;
  }
});

test("pairs of one's own need no images, and their file may have images elsewhere", () => {
  const options = parseOptions(['--pairs', file, '--image-root', folder, '--instructions', file]);
  expect([options?.images, options?.pairs, options?.imageRoot, options?.instructions]).toStrictEqual([undefined, file, folder, file]);
});

test('fields are set in the order given, and a value may hold an equals sign', () => {
  const options = parseOptions(['--set', 'dpo.beta=0.2', '--set', 'infuse.template=a=b', '--seed', '0', '--max-images', '12']);
  ensure(options);
  expect(options.set).toStrictEqual([
    ['dpo.beta', '0.2'],
    ['infuse.template', 'a=b'],
  ]);
  expect([options.seed, options.maxImages]).toStrictEqual([0, 12]);
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
  expect(existsSync(path.join(folder, 'new.json')), 'the check leaves nothing').toBe(false);
  parseOptions(['--json', file]);
  expect(readFileSync(file, 'utf8'), 'what is there stays until there is a result').toBe('[]');
});

test('the help names every family of models', () => {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const models = readFileSync(path.join(repositoryRoot(), 'docs/reference/models.md'), 'utf8');
  const families = [...models.matchAll(/^\| `(\w+?)For\w+`/gm)].map(([, family = '']) => family);
  expect(families.length).toBeGreaterThanOrEqual(5);
  for (const family of families) expect(plain(helpOf('demo')), family).toContain(plain(family));
});

test('the help of every command fits 80 columns', () => {
  for (const verb of ['start', 'demo', 'stic', 'chaos'] as const) {
    expect(
      helpOf(verb)
        .split('\n')
        .filter((line) => line.length > 80),
      verb,
    ).toStrictEqual([]);
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
    expect(helpOf('demo')).toMatch(new RegExp(`^  --${option} `, 'm'));
});
