import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ListCheckpointsResponse } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { ListPairsResponse, type Pair } from '@stic/api/gen/stic/runs/v1/runs.js';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';
import { Server } from '../support/product.js';
import { readTar } from '../support/archive.js';
import { demo, openFolder } from '../support/demo.js';
import type { Outcome } from '../support/demo.js';
import { python, takePhotographs, usable } from '../support/photographs.js';
import { fail } from '../support/expect.js';

const root = repositoryRoot();
const folder = openFolder();
const photographs = path.join(folder, 'photographs');
let alone: Outcome;
let instructed: Outcome;
let server: Server | undefined;

beforeAll(() => takePhotographs(photographs));
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('a folder of photographs without instructions ends after stage 1 and shows what can be shown', async () => {
  alone = await demo(folder, '--images', photographs, '--set', 'prefer.max_skipped_fraction=0.2');
  const { output, facts } = alone;
  expect(facts.state).toBe('succeeded');
  expect(facts.comparison).toStrictEqual([]);
  expect(facts.inputs.map(({ role, items, skipped }) => [role, items, skipped])).toStrictEqual([['images', usable.length, 1]]);
  expect(output).toMatch(/broken off\.jpg: [^✓]*TRUNCATED/);
  expect(output).toMatch(new RegExp(`${usable.length} preference pairs`));
  expect(output).toMatch(/✓ dpo/);
  expect(output).not.toMatch(/✓ (describe|infuse|sft)/);
  for (const metric of ['dpo/loss', 'rewards/margins', 'rewards/accuracies', 'rewards/chosen', 'logps/chosen'])
    expect(output).toMatch(new RegExp(`${metric} +-?\\d`));
  expect(output).toMatch(/The same images, before and after/);
  expect(output).toMatch(/\n +base +\S.*\n(.*\n)* +stage1 +\S/);
  expect(output.replace(/\s+/g, ' ')).toMatch(/nothing here says whether the model got better/);
}, 300_000);

test('with instructions, rows without an image and rows that lost theirs included, stage 2 follows', async () => {
  const turns = (question: string): object[] => [
    { from: 'human', value: question },
    { from: 'gpt', value: 'the kite is red' },
  ];
  const rows = [
    ...usable.slice(0, 6).map((image, i) => ({ id: `seen-${i}`, image, conversations: turns('<image>\nWhat color is the kite?') })),
    { id: 'told', conversations: turns('What color is the kite?') },
    { id: 'lost', image: 'deleted.jpg', conversations: turns('<image>\nWhat color is the kite?') },
  ];
  const file = path.join(folder, 'instructions.json');
  writeFileSync(file, JSON.stringify(rows));
  const relaxed = ['prefer', 'describe'].flatMap((stage) => ['--set', `${stage}.max_skipped_fraction=0.2`]);
  instructed = await demo(
    folder,
    '--images',
    photographs,
    '--instructions',
    file,
    '--image-root',
    photographs,
    '--max-images',
    '4',
    ...relaxed,
  );
  const { output, facts } = instructed;
  expect(facts.state).toBe('succeeded');
  expect(facts.inputs.map(({ role, items, skipped }) => [role, items, skipped])).toStrictEqual([
    ['images', usable.length, 1],
    ['instructions', 7, 1],
  ]);
  expect(output).toMatch(/deleted\.jpg: row 8 \(lost\): .*MISSING_IMAGE/);
  for (const stage of ['describe', 'infuse', 'sft', 'evaluate']) expect(output).toMatch(new RegExp(`✓ ${stage}`));
  expect(output).toMatch(/sft\/loss +\d/);
  expect(output).toMatch(/ +stage2 +\S/);
}, 300_000);

/** The runs are read from a server that was not there when they were made. */
async function reopened(): Promise<Server> {
  server ??= await Server.start({ STIC_STATE: path.join(folder, 'state') });
  return server;
}

async function pairsOf(run: Outcome): Promise<Pair[]> {
  const { pairs, total } = ListPairsResponse.fromJSON(await (await reopened()).get(`/api/runs/${run.facts.run_id}/pairs?page_size=200`));
  expect(pairs).toHaveLength(total);
  return pairs;
}

const exported = async (run: Outcome, format: string): Promise<Map<string, Buffer>> =>
  readTar(`${(await reopened()).url}/api/runs/${run.facts.run_id}/pairs/export?format=${format}`);

/** The pictures of an archive by path; each is the original, named by its digest. */
function picturesIn(files: Map<string, Buffer>, pairs: Pair[]): Map<string, string> {
  const pictures = [...files.keys()].filter((name) => name.startsWith('images/'));
  for (const name of pictures) expect(path.parse(name).name).toBe(sha256(files.get(name) ?? Buffer.alloc(0)));
  expect(pictures.map((name) => path.parse(name).name).sort()).toStrictEqual(
    [...new Set(pairs.map(({ imageSha256 }) => imageSha256))].sort(),
  );
  return new Map(pictures.map((name) => [path.parse(name).name, name]));
}

test('the pairs are what every trainer of the three forms reads, field by field', async () => {
  const pairs = await pairsOf(alone);
  expect(pairs).toHaveLength(usable.length);
  const imageOf = (files: Map<string, Buffer>): ((pair: Pair) => string) => {
    const pictures = picturesIn(files, pairs);
    return ({ imageSha256 }) => pictures.get(imageSha256) ?? fail(imageSha256);
  };

  const trl = await exported(alone, 'trl');
  let image = imageOf(trl);
  const lines = (trl.get('pairs.jsonl') ?? Buffer.alloc(0)).toString().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toStrictEqual(
    pairs.map((pair) => ({
      images: [image(pair)],
      prompt: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: pair.prompt }] }],
      chosen: [{ role: 'assistant', content: [{ type: 'text', text: pair.chosen }] }],
      rejected: [{ role: 'assistant', content: [{ type: 'text', text: pair.rejected }] }],
    })),
  );

  const factory = await exported(alone, 'llamafactory');
  image = imageOf(factory);
  expect(JSON.parse(String(factory.get('dataset_info.json')))).toStrictEqual({
    stic_pairs: {
      file_name: 'pairs.json',
      formatting: 'sharegpt',
      ranking: true,
      columns: { messages: 'conversations', chosen: 'chosen', rejected: 'rejected', images: 'images' },
    },
  });
  expect(JSON.parse(String(factory.get('pairs.json')))).toStrictEqual(
    pairs.map((pair) => ({
      conversations: [{ from: 'human', value: `<image>${pair.prompt}` }],
      chosen: { from: 'gpt', value: pair.chosen },
      rejected: { from: 'gpt', value: pair.rejected },
      images: [image(pair)],
    })),
  );

  const llava = await exported(alone, 'llava');
  image = imageOf(llava);
  expect(JSON.parse(String(llava.get('pairs.json')))).toStrictEqual(
    pairs.map((pair) => ({
      id: pair.id,
      image: image(pair),
      conversations: [
        { from: 'human', value: `<image>\n${pair.prompt}` },
        { from: 'gpt', value: pair.chosen },
      ],
      chosen: pair.chosen,
      rejected: pair.rejected,
      made_by: pair.madeBy,
    })),
  );
  for (const { prompt, chosen, rejected } of pairs) {
    expect(`${prompt}${chosen}${rejected}`).not.toContain('<image>');
    expect(prompt).not.toBe('');
  }
}, 120_000);

test('both adapters load in plain PEFT, sit on the language model alone and change what it says', async () => {
  const { checkpoints } = ListCheckpointsResponse.fromJSON(
    await (await reopened()).get(`/api/checkpoints?run_id=${instructed.facts.run_id}`),
  );
  expect(checkpoints.map(({ name }) => name).sort()).toStrictEqual(['stage1', 'stage2']);
  for (const { id, name } of checkpoints) {
    const adapter = path.join(folder, name);
    mkdirSync(adapter);
    const files = await readTar(`${(await reopened()).url}/api/checkpoints/${id}/files`);
    for (const file of files.keys()) expect(file, 'nothing is pickled').not.toMatch(/\.(bin|pt|pkl|pth)$/);
    for (const [file, content] of files) writeFileSync(path.join(adapter, path.basename(file)), content);
    const model = path.join(root, 'trainer-py/stic_trainer/world/model');
    const picture = path.join(photographs, 'palette.png');
    const { stdout, stderr } = await promisify(execFile)(
      python,
      [path.join(root, 'test/support/load_adapter.py'), model, adapter, picture],
      {
        env: { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' },
      },
    );
    const seen = JSON.parse(stdout) as { layers: number; elsewhere: string[]; untrained: string[]; moved: number; text: string };
    expect(seen.layers, name).toBeGreaterThan(0);
    expect([seen.elsewhere, seen.untrained], name).toStrictEqual([[], []]);
    expect(seen.moved, `${name} moves the logits by ${seen.moved}`).toBeGreaterThan(0);
    expect(seen.text).not.toBe('');
    expect(stderr).not.toMatch(/missing|unexpected|mismatch/i);
  }
}, 180_000);
