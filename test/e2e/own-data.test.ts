import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { ListCheckpointsResponse } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { ListPairsResponse, type Pair } from '@stic/api/gen/stic/runs/v1/runs.js';
import { repositoryRoot } from '../../server/src/platform/config/repository.js';
import { Server } from '../support/product.js';
import { readTar } from '../support/archive.js';
import { demo, openFolder } from '../support/demo.js';
import type { Outcome } from '../support/demo.js';
import { python, takePhotographs, usable } from '../support/photographs.js';

const root = repositoryRoot();
const folder = openFolder();
const photographs = path.join(folder, 'photographs');
let alone: Outcome;
let instructed: Outcome;
let server: Server | undefined;

before(() => takePhotographs(photographs));
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('a folder of photographs without instructions ends after stage 1 and shows what can be shown', { timeout: 300_000 }, async () => {
  alone = await demo(folder, '--images', photographs, '--set', 'prefer.max_skipped_fraction=0.2');
  const { output, facts } = alone;
  assert.equal(facts.state, 'succeeded');
  assert.deepEqual(facts.comparison, []);
  assert.deepEqual(
    facts.inputs.map(({ role, items, skipped }) => [role, items, skipped]),
    [['images', usable.length, 1]],
  );
  assert.match(output, /broken off\.jpg: [^✓]*TRUNCATED/);
  assert.match(output, new RegExp(`${usable.length} preference pairs`));
  assert.match(output, /✓ dpo/);
  assert.doesNotMatch(output, /✓ (describe|infuse|sft)/);
  for (const metric of ['dpo/loss', 'rewards/margins', 'rewards/accuracies', 'rewards/chosen', 'logps/chosen'])
    assert.match(output, new RegExp(`${metric} +-?\\d`));
  assert.match(output, /The same images, before and after/);
  assert.match(output, /\n +base +\S.*\n(.*\n)* +stage1 +\S/);
  assert.match(output.replace(/\s+/g, ' '), /nothing here says whether the model got better/);
});

test('with instructions, rows without an image and rows that lost theirs included, stage 2 follows', { timeout: 300_000 }, async () => {
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
  assert.equal(facts.state, 'succeeded');
  assert.deepEqual(
    facts.inputs.map(({ role, items, skipped }) => [role, items, skipped]),
    [
      ['images', usable.length, 1],
      ['instructions', 7, 1],
    ],
  );
  assert.match(output, /deleted\.jpg: row 8 \(lost\): .*MISSING_IMAGE/);
  for (const stage of ['describe', 'infuse', 'sft', 'evaluate']) assert.match(output, new RegExp(`✓ ${stage}`));
  assert.match(output, /sft\/loss +\d/);
  assert.match(output, / +stage2 +\S/);
});

/** The runs are read from a server that was not there when they were made. */
async function reopened(): Promise<Server> {
  server ??= await Server.start({ STIC_STATE: path.join(folder, 'state') });
  return server;
}

async function pairsOf(run: Outcome): Promise<Pair[]> {
  const { pairs, total } = ListPairsResponse.fromJSON(await (await reopened()).get(`/api/runs/${run.facts.run_id}/pairs?page_size=200`));
  assert.equal(pairs.length, total);
  return pairs;
}

const exported = async (run: Outcome, format: string): Promise<Map<string, Buffer>> =>
  readTar(`${(await reopened()).url}/api/runs/${run.facts.run_id}/pairs/export?format=${format}`);

/** The pictures of an archive by path; each is the original, named by its digest. */
function picturesIn(files: Map<string, Buffer>, pairs: Pair[]): Map<string, string> {
  const pictures = [...files.keys()].filter((name) => name.startsWith('images/'));
  for (const name of pictures) assert.equal(path.parse(name).name, sha256(files.get(name) ?? Buffer.alloc(0)));
  assert.deepEqual(pictures.map((name) => path.parse(name).name).sort(), [...new Set(pairs.map(({ imageSha256 }) => imageSha256))].sort());
  return new Map(pictures.map((name) => [path.parse(name).name, name]));
}

test('the pairs are what every trainer of the three forms reads, field by field', { timeout: 120_000 }, async () => {
  const pairs = await pairsOf(alone);
  assert.equal(pairs.length, usable.length);
  const imageOf = (files: Map<string, Buffer>): ((pair: Pair) => string) => {
    const pictures = picturesIn(files, pairs);
    return ({ imageSha256 }) => pictures.get(imageSha256) ?? assert.fail(imageSha256);
  };

  const trl = await exported(alone, 'trl');
  let image = imageOf(trl);
  const lines = (trl.get('pairs.jsonl') ?? Buffer.alloc(0)).toString().trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    pairs.map((pair) => ({
      images: [image(pair)],
      prompt: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: pair.prompt }] }],
      chosen: [{ role: 'assistant', content: [{ type: 'text', text: pair.chosen }] }],
      rejected: [{ role: 'assistant', content: [{ type: 'text', text: pair.rejected }] }],
    })),
  );

  const factory = await exported(alone, 'llamafactory');
  image = imageOf(factory);
  assert.deepEqual(JSON.parse(String(factory.get('dataset_info.json'))), {
    stic_pairs: {
      file_name: 'pairs.json',
      formatting: 'sharegpt',
      ranking: true,
      columns: { messages: 'conversations', chosen: 'chosen', rejected: 'rejected', images: 'images' },
    },
  });
  assert.deepEqual(
    JSON.parse(String(factory.get('pairs.json'))),
    pairs.map((pair) => ({
      conversations: [{ from: 'human', value: `<image>${pair.prompt}` }],
      chosen: { from: 'gpt', value: pair.chosen },
      rejected: { from: 'gpt', value: pair.rejected },
      images: [image(pair)],
    })),
  );

  const llava = await exported(alone, 'llava');
  image = imageOf(llava);
  assert.deepEqual(
    JSON.parse(String(llava.get('pairs.json'))),
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
    assert.ok(!`${prompt}${chosen}${rejected}`.includes('<image>'));
    assert.notEqual(prompt, '');
  }
});

test('both adapters load in plain PEFT, sit on the language model alone and change what it says', { timeout: 180_000 }, async () => {
  const { checkpoints } = ListCheckpointsResponse.fromJSON(
    await (await reopened()).get(`/api/checkpoints?run_id=${instructed.facts.run_id}`),
  );
  assert.deepEqual(checkpoints.map(({ name }) => name).sort(), ['stage1', 'stage2']);
  for (const { id, name } of checkpoints) {
    const adapter = path.join(folder, name);
    mkdirSync(adapter);
    const files = await readTar(`${(await reopened()).url}/api/checkpoints/${id}/files`);
    for (const file of files.keys()) assert.doesNotMatch(file, /\.(bin|pt|pkl|pth)$/, 'nothing is pickled');
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
    assert.ok(seen.layers > 0, name);
    assert.deepEqual([seen.elsewhere, seen.untrained], [[], []], name);
    assert.ok(seen.moved > 0, `${name} moves the logits by ${seen.moved}`);
    assert.notEqual(seen.text, '');
    assert.doesNotMatch(stderr, /missing|unexpected|mismatch/i);
  }
});
