import { randomUUID } from 'node:crypto';
import { Lineage } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { Comparison } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { StartPoint } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { ListAuditEntriesResponse } from '@stic/api/gen/stic/audit/v1/audit.js';
import {
  type Alias,
  Gate,
  GateState,
  ListAliasesResponse,
  ListGatesResponse,
  ListMovesResponse,
  MoveAliasResponse,
  MoveKind,
} from '@stic/api/gen/stic/registry/v1/registry.js';
import { Run, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Product, problemOf } from '../support/product.js';
import type { Answer, Server } from '../support/product.js';
import { ensure } from '../support/expect.js';

const product = new Product();
let server: Server;
let inputs: { role: string; dataset_id: string }[] = [];
let first: Run;
let second: Run;

beforeAll(async () => {
  server = await product.start();
  const world = await product.world(8, 4, 4);
  const images = await server.dataset('images', DatasetKind.DATASET_KIND_IMAGES, `${world}/images`);
  const benchmark = await server.dataset('descriptions', DatasetKind.DATASET_KIND_BENCHMARK, `${world}/benchmarks/world-descriptions`);
  inputs = [
    { role: 'images', dataset_id: images.id },
    { role: 'benchmark', dataset_id: benchmark.id },
  ];
});
afterAll(() => product.close());

/** A recipe with a gate; `minMeanGain` -100 lets everything through, 100 nothing. */
const gated = (
  minMeanGain: number,
  more: { approval?: boolean; seed?: number; fromChampion?: boolean; rank?: number } = {},
): Promise<unknown> =>
  server.smallRecipe((recipe) => {
    recipe.gate = { alias: '', maxDrop: 100, minMeanGain, requireApproval: more.approval ?? false };
    if (recipe.evaluate) Object.assign(recipe.evaluate, { modes: ['plain'], sampleImages: 0, bootstrapResamples: 200 });
    if (more.fromChampion) {
      recipe.startFrom = { point: StartPoint.START_POINT_ALIAS, alias: '', checkpointId: '', adapterSha256: '' };
    }
    recipe.seed = more.seed ?? recipe.seed;
    if (recipe.dpo?.lora) recipe.dpo.lora.rank = more.rank ?? recipe.dpo.lora.rank;
  });

const create = async (name: string, recipe: unknown): Promise<Run> =>
  Run.fromJSON(await server.post('/api/runs', { name, recipe, inputs }));

async function finished(name: string, recipe: unknown): Promise<Run> {
  const run = await server.ended((await create(name, recipe)).id);
  expect(run.state, JSON.stringify(run.error)).toBe(RunState.RUN_STATE_SUCCEEDED);
  return run;
}

const gateOf = async (run: Run): Promise<Gate> => Gate.fromJSON(await server.get(`/api/runs/${run.id}/gate`));

const outcomeOf = async (run: Run): Promise<string> => (await server.run(run.id)).outcome;

async function champion(): Promise<Alias> {
  const { aliases } = ListAliasesResponse.fromJSON(await server.get('/api/aliases?name=champion'));
  expect(aliases).toHaveLength(1);
  return aliases[0] as Alias;
}

async function refused(where: string, body: object, status: number, message: RegExp): Promise<void> {
  const answer = await server.call('POST', where, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  expect(problemOf(answer).detail).toMatch(message);
}

test('a gate needs a benchmark and its fields within bounds', async () => {
  const recipe = await gated(0);
  const only = inputs.filter((input) => input.role === 'images');
  await refused('/api/runs', { recipe, inputs: only }, 400, /compares on benchmarks/);
  const bad = await server.smallRecipe((one) => (one.gate = { alias: 'Best!', maxDrop: 1, minMeanGain: 0, requireApproval: false }));
  await refused('/api/runs', { recipe: bad, inputs }, 400, /gate\.alias is "Best!"/);
});

test('the first candidate is measured against the base model and waits for a person', async () => {
  const preview = Run.fromJSON(
    await server.post('/api/runs', { recipe: await gated(-100, { fromChampion: true }), inputs, validate_only: true }),
  );
  expect(preview.warnings).toContainEqual(expect.stringContaining('has no champion yet'));
  first = await finished('first', await gated(-100, { approval: true }));
  const gate = await gateOf(first);
  expect(gate.state).toBe(GateState.GATE_STATE_PENDING);
  expect([gate.championId, gate.config?.alias, gate.benchmarks.length]).toStrictEqual(['', 'champion', 1]);
  expect(gate.reasons[0] ?? '').toMatch(/The rule holds: .*the base model/);
  const { gates } = ListGatesResponse.fromJSON(await server.get('/api/gates?state=GATE_STATE_PENDING'));
  expect(gates.map((one) => one.runName)).toStrictEqual(['first']);
  expect(ListAliasesResponse.fromJSON(await server.get('/api/aliases')).aliases).toStrictEqual([]);
  expect(await outcomeOf(first)).toMatch(/^Waits for approval: stage1 of first as champion; .* against the base model, .*\.$/);
}, 250_000);

test('two people approve at once, and one of them has decided', async () => {
  const approve = (who: number): Promise<Answer> => server.call('POST', `/api/runs/${first.id}/gate/approve`, { comment: `yes ${who}` });
  const both = await Promise.all([approve(1), approve(2)]);
  expect(both.map((answer) => answer.status).sort()).toStrictEqual([200, 400]);
  const gate = await gateOf(first);
  expect(gate.state).toBe(GateState.GATE_STATE_PROMOTED);
  expect(gate.comment).toMatch(/^yes [12]$/);
  expect(await outcomeOf(first)).toMatch(/^Promoted stage1 of first to champion: .* against the base model, .*\.$/);
  expect(gate.decidedBy).toMatch(/^someone \(HTTP /);
  const { checkpointId, version, provenance } = await champion();
  expect([checkpointId, version]).toStrictEqual([gate.candidateId, 1]);
  expect([provenance?.runName, provenance?.recipeDigest, provenance?.seed]).toStrictEqual([
    'first',
    first.recipeDigest,
    first.recipe?.seed,
  ]);
  expect(provenance?.commit ?? '').toMatch(/^([0-9a-f]{40}(-dirty)?)?$/);
  expect(provenance?.data.map(({ role, digest }) => [role, digest])).toStrictEqual(first.inputs.map(({ role, digest }) => [role, digest]));
});

test('the next run starts from the champion and is compared with it, in one run', async () => {
  const otherShape = await gated(-100, { fromChampion: true, rank: 8 });
  await refused('/api/runs', { recipe: otherShape, inputs }, 400, /adapter with rank 32; this recipe says 8/);
  const before = await champion();
  second = await finished('second', await gated(-100, { fromChampion: true, approval: true, seed: 7 }));
  const start = second.recipe?.startFrom;
  expect([start?.checkpointId, start?.adapterSha256]).toStrictEqual([before.checkpointId, before.provenance?.adapterSha256]);
  const gate = await gateOf(second);
  expect([gate.championId, gate.championRunName]).toStrictEqual([before.checkpointId, 'first']);

  const comparison = Comparison.fromJSON(await server.get(`/api/runs/${second.id}/comparison`));
  expect([...new Set(comparison.scores.map((score) => score.subject))]).toStrictEqual(['base', 'champion', 'stage1']);
  expect(comparison.scores.filter((score) => !(score.versus === ''))).toStrictEqual([]);
  const headline = comparison.againstChampion.find((score) => score.primary);
  ensure(headline);
  expect([headline.subject, headline.mode, headline.versus]).toStrictEqual(['stage1', 'plain', 'champion']);
  expect(gate.benchmarks[0]?.candidate).toBe(headline.value);
  const own = (subject: string): number => comparison.scores.find((score) => score.primary && score.subject === subject)?.value ?? NaN;
  expect(Math.abs(headline.difference - (own('stage1') - own('champion')))).toBeLessThan(1e-9);

  const lineage = Lineage.fromJSON(await server.get(`/api/checkpoints/${gate.candidateId}/lineage`));
  const label = (id: string): string => lineage.nodes.find((node) => node.id === id)?.label ?? '';
  expect(lineage.nodes.find((node) => node.id === before.checkpointId)?.facts['run']).toBe('first');
  const into = lineage.edges.filter((edge) => edge.from === before.checkpointId).map((edge) => label(edge.to));
  expect(into.sort()).toStrictEqual(['dpo', 'prefer']);
}, 250_000);

test('one call rolls back and names what it restores', async () => {
  const alias = await champion();
  const candidate = (await gateOf(second)).candidateId;
  const by = await fetch(`${server.url}/api/aliases`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'stic-actor': 'Ada' },
    body: JSON.stringify({ checkpoint_id: candidate, reason: 'by hand' }),
  });
  expect(by.status).toBe(200);
  await refused('/api/aliases', { checkpoint_id: candidate }, 400, /points at this checkpoint already/);
  await refused('/api/aliases', { checkpoint_id: randomUUID() }, 404, /no checkpoint/);

  const where = `/api/aliases/${alias.id}/rollback`;
  const body = { reason: 'worse in the field', version: 2 };
  const { alias: restored, move } = MoveAliasResponse.fromJSON(await server.post(where, body));
  expect(restored?.checkpointId).toBe(alias.checkpointId);
  expect([move?.kind, move?.undoes, move?.reason]).toStrictEqual([MoveKind.MOVE_KIND_ROLLED_BACK, 2, 'worse in the field']);
  const { provenance } = move ?? {};
  expect([provenance?.runName, provenance?.seed, provenance?.recipeDigest]).toStrictEqual([
    'first',
    first.recipe?.seed,
    first.recipeDigest,
  ]);
  expect(provenance?.data.length).toBe(2);
  // The same request again, as a retry would send it.
  await refused(where, body, 400, /has moved meanwhile/);
});

test('nobody promotes over a champion the candidate was not compared with', async () => {
  const alias = await champion();
  const base = MoveAliasResponse.fromJSON(await server.post(`/api/aliases/${alias.id}/rollback`, { reason: 'all the way' }));
  expect([base.alias?.checkpointId, base.move?.undoes, base.move?.provenance]).toStrictEqual(['', 1, undefined]);
  await refused(`/api/aliases/${alias.id}/rollback`, {}, 400, /Every move of champion has been taken back/);

  await refused(`/api/runs/${second.id}/gate/approve`, { comment: '' }, 400, /has moved since the evaluation began/);
  expect((await gateOf(second)).state).toBe(GateState.GATE_STATE_PENDING);
  const rejected = Gate.fromJSON(await server.post(`/api/runs/${second.id}/gate/reject`, { comment: 'stale' }));
  expect([rejected.state, rejected.comment]).toStrictEqual([GateState.GATE_STATE_REJECTED, 'stale']);
  expect(await outcomeOf(second)).toMatch(/^Kept the champion of first: stage1 of second was rejected by hand \(stale\); .*\.$/);
  await refused(`/api/runs/${second.id}/gate/reject`, { comment: '' }, 400, /does not wait for approval; it is rejected/);
});

test('the history only grows, page by page', async () => {
  const alias = await champion();
  const page = async (token: string): Promise<ListMovesResponse> =>
    ListMovesResponse.fromJSON(await server.get(`/api/aliases/${alias.id}/moves?page_size=3&page_token=${token}`));
  const newest = await page('');
  const moves = [...newest.moves, ...(await page(newest.nextPageToken)).moves];
  expect(moves.map((one) => `${one.number} ${one.kind.replace('MOVE_KIND_', '')}`)).toStrictEqual([
    '4 ROLLED_BACK',
    '3 ROLLED_BACK',
    '2 SET',
    '1 PROMOTED',
  ]);
  expect(moves[2]?.actor ?? '').toMatch(/^Ada \(HTTP /);
  expect(moves[3]?.runId).toBe(first.id);
  await expect(product.query('DELETE FROM alias_move WHERE number = $1', [1])).rejects.toThrow(/append-only/);
  await expect(product.query(`UPDATE audit_entry SET actor = $1`, ['nobody'])).rejects.toThrow(/append-only/);
});

test('every change is in the audit log, by subject, action and time', async () => {
  const list = async (query: string): Promise<string[]> => {
    const { entries } = ListAuditEntriesResponse.fromJSON(await server.get(`/api/audit?${query}`));
    return entries.map((entry) => `${entry.action} ${entry.subjectName}`);
  };
  const moved = ['alias.roll_back champion', 'alias.roll_back champion', 'alias.set champion', 'alias.promote champion'];
  expect(await list('subject_type=alias')).toStrictEqual(moved);
  expect(await list('subject_type=gate')).toStrictEqual(['gate.reject second', 'gate.ask second', 'gate.ask first']);
  expect(await list(`subject_id=${first.id}`)).toStrictEqual(['gate.ask first', 'run.create first']);
  expect(await list('action=dataset.create')).toHaveLength(2);
  expect(await list(`to=${first.startedAt?.toISOString() ?? ''}&subject_type=run`)).toStrictEqual(['run.create first']);
  expect((await server.call('GET', '/api/audit?from=yesterday')).status).toBe(400);
});

test('a run whose checkpoint is a champion cannot be deleted', async () => {
  await server.post('/api/aliases', { checkpoint_id: (await gateOf(first)).candidateId, reason: '' });
  await expect(product.query('DELETE FROM run WHERE id = $1', [first.id])).rejects.toThrow(/alias_checkpoint_id_fkey/);
});
