import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const program = fileURLToPath(new URL('../../server/src/cli/demo.js', import.meta.url));

/** Sizes that show that things work; what comes of them means nothing. */
const SMALL = [
  'prefer.generation.max_new_tokens=24',
  'dpo.optimizer.epochs=1',
  'dpo.optimizer.batch_size=4',
  'describe.max_rows=8',
  'describe.generation.max_new_tokens=24',
  'sft.optimizer.epochs=1',
  'sft.optimizer.batch_size=4',
  'evaluate.max_items=10',
  'evaluate.sample_images=2',
  'evaluate.bootstrap_resamples=200',
  'evaluate.describe_generation.max_new_tokens=24',
  'evaluate.answer_generation.max_new_tokens=24',
].flatMap((assignment) => ['--set', assignment]);

const cell = z.strictObject({ value: z.number(), difference: z.number(), low: z.number(), high: z.number() });
const subject = z.record(z.enum(['plain', 'dar']), cell);

/** What `--json FILE` holds. A field more or less is a change of what people read by program. */
const facts = z.strictObject({
  run_id: z.uuid(),
  state: z.string(),
  seconds: z.number().nullable(),
  recipe: z.record(z.string(), z.unknown()),
  inputs: z.array(
    z.strictObject({
      role: z.enum(['images', 'instructions', 'benchmark', 'preferences']),
      name: z.string(),
      digest: z.string().regex(/^[0-9a-f]{64}$/),
      items: z.number().int(),
      skipped: z.number().int(),
    }),
  ),
  comparison: z.array(
    z.strictObject({
      benchmark: z.string(),
      metric: z.string(),
      primary: z.boolean(),
      higher_is_better: z.boolean(),
      n: z.number().int(),
      majority: z.number().nullable(),
      base: subject,
      stage1: subject,
      stage2: subject.optional(),
    }),
  ),
  outcome: z.string(),
  findings: z.array(z.string()),
  warnings: z.array(z.string()),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
});

export type Outcome = { code: number; output: string; facts: z.infer<typeof facts> };

/** A folder that Postgres, started by root as another user, can get through to. */
export function openFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-e-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** `npm run demo -- --exit ...` on a folder's state, cut down to small sizes. */
export async function demo(folder: string, ...args: string[]): Promise<Outcome> {
  const json = path.join(folder, 'out.json');
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', program, '--exit', '--json', json, '--state', path.join(folder, 'state'), ...SMALL, ...args],
    { env: { ...process.env, STIC_HTTP_PORT: '0', STIC_GRPC_PORT: '0', STIC_THREADS: '1' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`the demo ended with ${code}:\n${output}`);
  return { code, output, facts: facts.parse(JSON.parse(readFileSync(json, 'utf8'))) };
}
