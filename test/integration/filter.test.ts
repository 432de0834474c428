import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Column, type DataSource, Entity, type MigrationInterface, PrimaryColumn, type QueryRunner } from 'typeorm';
import { openDatabase } from '../../server/src/platform/database/database.js';
import { EmbeddedPostgres } from '../../server/src/platform/embedded-postgres/embedded-postgres.js';
import { DomainError } from '../../server/src/platform/errors.js';
import { column, enumColumn, keyedNumber, list, type List, map, paginate } from '../../server/src/platform/filter/index.js';
import { rejection } from '../support/expect.js';

/** Every kind of field, most of them missing in some rows. */
@Entity('thing')
class Thing {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  state!: string;

  @Column('integer')
  size!: number;

  @Column('double precision', { nullable: true })
  score!: number | null;

  @Column('boolean')
  enabled!: boolean;

  @Column('timestamptz', { nullable: true })
  endedAt!: Date | null;

  @Column('jsonb')
  tags!: string[];

  @Column('jsonb')
  labels!: Record<string, string>;
}

class CreateThing1999999999999 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE thing (id uuid PRIMARY KEY, name text NOT NULL, state text NOT NULL, size integer NOT NULL, score double precision,
        enabled boolean NOT NULL, ended_at timestamptz, tags jsonb NOT NULL, labels jsonb NOT NULL)`);
    await runner.query('CREATE TABLE thing_metric (thing_id uuid NOT NULL, name text NOT NULL, value double precision NOT NULL)');
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}

const things: List = {
  name: 'things',
  order: 'size desc',
  unique: 'id',
  fields: {
    id: column('uuid', 'thing.id'),
    name: column('text', 'thing.name', { searched: true }),
    state: enumColumn('thing.state', { A: 'THING_OPEN', B: 'THING_SHUT', C: 'THING_LOST' }),
    size: column('integer', 'thing.size'),
    score: column('number', 'thing.score', { nullable: true }),
    enabled: column('boolean', 'thing.enabled'),
    ended_at: column('time', 'thing.ended_at', { nullable: true }),
    tags: list('thing.tags'),
    labels: map('thing.labels'),
    metrics: keyedNumber('thing.id', (key) => `SELECT thing_id AS owner, value FROM thing_metric WHERE thing_metric.name = ${key}`),
  },
};

type Row = Thing & { metrics: Record<string, number> };
type Request = { pageSize: number; pageToken: string; filter: string; orderBy: string };
/** A filter as text, and whether a row fits by the rules of AIP-160 as we read them. */
type Expression = { text: string; holds: (row: Row) => boolean };

const folder = mkdtempSync(path.join(os.tmpdir(), 'stic-f-'));
const random = generator(7);
const names = ['alpha', 'Alpha', 'alpha 2', 'be%ta', 'be_ta', 'b*', 'null', '', 'x"y', "it's", 'back\\slash', 'Ünder', 'zeta'];
const words = ['red', 'green', 'run.failed', 'a b', ''];
let postgres: Awaited<ReturnType<typeof EmbeddedPostgres.open>>;
let db: DataSource;
let rows: Row[] = [];

beforeAll(async () => {
  // Postgres, started by root, runs as another user and must get through.
  chmodSync(folder, 0o755);
  postgres = await EmbeddedPostgres.open({ state: path.join(folder, 'state') });
  db = await openDatabase({ url: postgres.url, entities: [Thing], migrations: [CreateThing1999999999999] });
  rows = Array.from({ length: 190 }, randomRow);
  await db.manager.insert(
    Thing,
    rows.map(({ metrics: _, ...thing }) => thing),
  );
  for (const { id, metrics } of rows) {
    for (const [name, value] of Object.entries(metrics)) await db.query('INSERT INTO thing_metric VALUES ($1, $2, $3)', [id, name, value]);
  }
});
afterAll(async () => {
  await db.destroy();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});

function randomRow(): Row {
  const labels = Object.fromEntries(['gpu', 'zone.a'].filter(() => random() < 0.6).map((key) => [key, pick(words)]));
  const metrics = Object.fromEntries(['f1', 'dpo/loss'].filter(() => random() < 0.6).map((key) => [key, pick([0, 0.5, 1, -2.25, 1e-9])]));
  return {
    id: randomUUID(),
    name: pick(names),
    state: pick(['THING_OPEN', 'THING_SHUT', 'THING_LOST']),
    size: Math.floor(random() * 7) - 3,
    score: random() < 0.3 ? null : pick([0, 0.1, 1.5, -3, 1e20]),
    enabled: random() < 0.5,
    endedAt: random() < 0.3 ? null : new Date(Date.UTC(2026, 0, 1 + Math.floor(random() * 5))),
    tags: words.filter(() => random() < 0.4),
    labels,
    metrics,
  };
}

/** Small trees of every operator; parentheses wherever the grammar wants them, and sometimes where it does not. */
function expression(depth: number): Expression {
  if (depth === 0 || random() < 0.25) return comparison();
  const parts = Array.from({ length: 2 + Math.floor(random() * 2) }, () => expression(depth - 1));
  const texts = parts.map(({ text }) => `(${text})`);
  switch (Math.floor(random() * 4)) {
    case 0:
      return { text: texts.join(' AND '), holds: (row) => parts.every(({ holds }) => holds(row)) };
    case 1:
      return { text: texts.join(' '), holds: (row) => parts.every(({ holds }) => holds(row)) };
    case 2:
      return { text: texts.join(' OR '), holds: (row) => parts.some(({ holds }) => holds(row)) };
    default: {
      const [first = comparison()] = parts;
      return { text: `${pick(['NOT ', '-'])}(${first.text})`, holds: (row) => !first.holds(row) };
    }
  }
}

function comparison(): Expression {
  switch (Math.floor(random() * 10)) {
    case 0:
      return textComparison('name', (row) => row.name);
    case 1:
      return enumComparison();
    case 2:
      return ordered('size', String(Math.floor(random() * 7) - 3), (row) => row.size, Number);
    case 3:
      return orNull(
        ordered('score', pick(['0', '0.1', '1.5', '-3', '1e20']), (row) => row.score, Number),
        'score',
        (row) => row.score,
      );
    case 4: {
      const [word, operator] = [pick([true, false]), pick(['=', ':', '!='])];
      return { text: `enabled ${operator} ${word}`, holds: (row) => (row.enabled === word) !== (operator === '!=') };
    }
    case 5: {
      const day = `2026-01-0${1 + Math.floor(random() * 5)}`;
      const time = ordered(
        'ended_at',
        day,
        (row) => row.endedAt?.getTime(),
        (text) => Date.parse(`${text}T00:00:00Z`),
      );
      return orNull(time, 'ended_at', (row) => row.endedAt);
    }
    case 6: {
      const word = pick(['red', 'green', 'FAILED', 'a b']);
      return { text: `tags:${quoted(word)}`, holds: (row) => row.tags.some((tag) => contains(tag, word)) };
    }
    case 7: {
      const key = pick(['gpu', 'zone.a', 'none']);
      if (random() < 0.3) return { text: `labels:${key}`, holds: (row) => (row.labels[key] ?? '') !== '' };
      return textComparison(`labels.${key}`, (row) => row.labels[key]);
    }
    case 8: {
      const key = pick(['f1', 'dpo/loss', 'none']);
      const value = ordered(`metrics.${key}`, pick(['0', '.5', '1', '-2.25']), (row) => row.metrics[key], Number);
      return orNull(value, `metrics.${key}`, (row) => row.metrics[key]);
    }
    default: {
      const word = pick(['alp', 'PHA', 'ta', '2']);
      return { text: word, holds: (row) => contains(row.name, word) };
    }
  }
}

function ordered(field: string, text: string, of: (row: Row) => number | null | undefined, read: (text: string) => number): Expression {
  const operator = pick(['=', '!=', '<', '<=', '>', '>=', ':']);
  const wanted = read(text);
  const compare = (value: number): boolean => {
    if (operator === '<') return value < wanted;
    if (operator === '<=') return value <= wanted;
    if (operator === '>') return value > wanted;
    if (operator === '>=') return value >= wanted;
    return value === wanted;
  };
  return {
    text: `${field}${pick(['', ' '])}${operator}${pick(['', ' '])}${text}`,
    holds: (row) => present(of(row), compare) !== (operator === '!='),
  };
}

function orNull(other: Expression, field: string, of: (row: Row) => unknown): Expression {
  if (random() < 0.75) return other;
  const missing = random() < 0.5;
  const text = missing ? `${field} = null` : pick([`${field}:*`, `${field} != null`]);
  return { text, holds: (row) => ((of(row) ?? null) === null) === missing };
}

function enumComparison(): Expression {
  const [state, operator] = [pick(['OPEN', 'SHUT', 'LOST']), pick(['=', ':', '!='])];
  const written = pick([state, `THING_${state}`, `"${state}"`]);
  return { text: `state ${operator} ${written}`, holds: (row) => (row.state === `THING_${state}`) !== (operator === '!=') };
}

function textComparison(field: string, of: (row: Row) => string | undefined): Expression {
  const word = pick([...names, ...words]).slice(0, 1 + Math.floor(random() * 8));
  const operator = pick(['=', '!=', ':', '<', '>=']);
  if (operator === '<' || operator === '>=') {
    const before = (value: string): boolean => Buffer.compare(Buffer.from(value), Buffer.from(word)) < 0;
    return {
      text: `${field} ${operator} ${quoted(word)}`,
      holds: (row) => present(of(row), (value) => before(value) === (operator === '<')),
    };
  }
  const [start, end] = word === '' ? [false, false] : [random() < 0.3, random() < 0.3];
  const fold = (text: string): string => (operator === ':' ? text.toLowerCase() : text);
  const fits = (value: string): boolean => {
    const [have, want] = [fold(value), fold(word)];
    if (start && end) return have.includes(want);
    if (start) return have.endsWith(want);
    if (end) return have.startsWith(want);
    return operator === ':' ? have.includes(want) : have === want;
  };
  const text = `${field} ${operator} "${start ? '*' : ''}${quoted(word).slice(1, -1)}${end ? '*' : ''}"`;
  return { text, holds: (row) => present(of(row), fits) !== (operator === '!=') };
}

function present<T>(value: T | null | undefined, holds: (value: T) => boolean): boolean {
  return value !== null && value !== undefined && holds(value);
}

const contains = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());
const quoted = (text: string): string => `"${text.replaceAll(/["\\*]/g, '\\$&')}"`;

async function page(request: Partial<Request>): Promise<{ ids: string[]; next: string }> {
  const whole = { pageSize: 200, pageToken: '', filter: '', orderBy: '', ...request };
  const found = await paginate(db.manager.createQueryBuilder(Thing, 'thing'), things, whole);
  return { ids: found.page.map(({ id }) => id), next: found.nextPageToken };
}

async function all(request: Partial<Request>): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = '';
  do {
    const { ids: more, next } = await page({ ...request, pageToken });
    ids.push(...more);
    pageToken = next;
  } while (pageToken !== '');
  return ids;
}

async function refusedToken(request: Partial<Request>, message: RegExp): Promise<void> {
  const error = await rejection(page(request), DomainError);
  expect([error.code, error.field]).toStrictEqual(['INVALID_ARGUMENT', 'page_token']);
  expect(error.message).toMatch(message);
}

test('a random filter finds in Postgres the rows that fit it', async () => {
  let found = 0;
  for (let round = 0; round < 300; round += 1) {
    const { text, holds } = expression(round % 4);
    const ids = await all({ filter: text });
    found += ids.length;
    expect(ids.sort(), text).toStrictEqual(
      rows
        .filter(holds)
        .map(({ id }) => id)
        .sort(),
    );
  }
  expect(found, 'the filters find something').toBeGreaterThan(3_000);
});

test('pages of any size in any order hold every row once, in that order, with what is missing last', async () => {
  const values: Record<string, (row: Row) => string | number | null> = {
    size: (row) => row.size,
    score: (row) => row.score,
    ended_at: (row) => row.endedAt?.getTime() ?? null,
    enabled: (row) => Number(row.enabled),
    'metrics.f1': (row) => row.metrics['f1'] ?? null,
    'labels.gpu': (row) => row.labels['gpu'] ?? null,
    name: (row) => row.name,
  };
  for (let round = 0; round < 40; round += 1) {
    const fields = Object.keys(values)
      .filter(() => random() < 0.35)
      .slice(0, 5);
    const keys = fields.map((field) => ({ field, descending: random() < 0.5 }));
    const orderBy = keys.map(({ field, descending }) => `${field}${descending ? ' desc' : ''}`).join(', ');
    const filter = random() < 0.5 ? '' : 'enabled = true OR size > 0';
    const pageSize = 7 + Math.floor(random() * 60);
    const ids = await all({ pageSize, orderBy, filter });
    const expected = rows.filter((row) => filter === '' || row.enabled || row.size > 0);
    expect([...ids].sort(), `${orderBy} by ${pageSize}`).toStrictEqual(expected.map(({ id }) => id).sort());
    expect(ids, `pages of ${pageSize} follow one another: ${orderBy}`).toStrictEqual(await onePage(orderBy, filter));
    const [first] = keys;
    if (first && first.field !== 'name' && first.field !== 'labels.gpu') {
      const column = ids.map((id) => values[first.field]?.(rows.find((row) => row.id === id) as Row) ?? null);
      expect(column, orderBy).toStrictEqual(sorted(column, first.descending));
    }
  }
});

/** What Postgres gives in one piece. */
async function onePage(orderBy: string, filter: string): Promise<string[]> {
  const first = await page({ orderBy, filter });
  return first.next === '' ? first.ids : [...first.ids, ...(await page({ orderBy, filter, pageToken: first.next })).ids];
}

function sorted(column: (string | number | null)[], descending: boolean): (string | number | null)[] {
  const numbers = column.filter((value) => value !== null).map(Number);
  numbers.sort((a, b) => (descending ? b - a : a - b));
  return [...numbers, ...column.filter((value) => value === null)];
}

test('a token is good only for the filter and the order it was given for, and a forged one is refused', async () => {
  const { next } = await page({ pageSize: 5, filter: 'size > 0' });
  expect(next).not.toBe('');
  await refusedToken({ pageToken: next, filter: 'size > 1' }, /another request/);
  await refusedToken({ pageToken: next, filter: 'size > 0', orderBy: 'name' }, /another request/);
  expect((await page({ pageSize: 9, filter: 'size > 0', pageToken: next })).ids, 'the size may change').toHaveLength(9);
  const [digest] = JSON.parse(Buffer.from(next, 'base64url').toString()) as [string];
  for (const values of [['1'], ['x', randomUUID()], ['1', 'x'], [null, randomUUID()], ['9'.repeat(30), randomUUID()], [1, randomUUID()]]) {
    const pageToken = Buffer.from(JSON.stringify([digest, ...values])).toString('base64url');
    await refusedToken({ pageToken, filter: 'size > 0' }, /Invalid page_token/);
  }
  await refusedToken({ pageToken: 'hello' }, /Invalid page_token/);
});

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** Mulberry32: the same filters in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
