import { DomainError } from '../errors.js';
import { compileFilter } from './compile.js';
import { column, enumColumn, type Fields, keyedNumber, list, map, related } from './fields.js';
import { parseOrder } from './order.js';
import { LONGEST_FILTER, parseFilter } from './parse.js';
import { ensure, thrown } from '../../../../test/support/expect.js';

const fields: Fields = {
  name: column('text', 'run.name', { searched: true }),
  state: enumColumn('run.state', {
    NONE: 'RUN_STATE_UNSPECIFIED',
    A: 'RUN_STATE_QUEUED',
    B: 'RUN_STATE_RUNNING',
    UNRECOGNIZED: 'UNRECOGNIZED',
  }),
  priority: column('integer', 'run.priority'),
  created_at: column('time', 'run.created_at'),
  duration: column('duration', 'run.seconds', { nullable: true }),
  id: column('uuid', 'run.id'),
  enabled: column('boolean', 'run.enabled'),
  events: list('run.events'),
  dataset: related('text', 'dataset_name', 'run.id', 'run_id FROM run_input WHERE true'),
  'requires.labels': map('run.labels'),
  metrics: keyedNumber('run.id', (key) => `SELECT run_id AS owner, value FROM run_metric WHERE name = ${key}`),
};

/** The SQL with its parameters put in, quoted, so that a test can be read. */
function sql(text: string): string {
  const condition = compileFilter(text, fields);
  return (condition?.sql ?? '').replaceAll(/CAST\(:(\w+) AS ([\w ]+)\)/g, (_, name: string) => `'${condition?.parameters[name] ?? ''}'`);
}

function refused(text: string, message: RegExp, work: (text: string) => unknown = (it) => compileFilter(it, fields)): void {
  const field = work === orderOf ? 'order_by' : 'filter';
  const error = thrown(() => work(text), DomainError);
  expect([error.code, error.field]).toStrictEqual(['INVALID_ARGUMENT', field]);
  expect(error.message).toMatch(message);
}

const orderOf = (text: string): unknown => parseOrder(text, fields);

test('OR binds tighter than AND, terms side by side are joined by AND, and both negations are the complement', () => {
  expect(sql('')).toBe('');
  expect(sql(' \n')).toBe('');
  expect(sql('priority = 1 AND priority = 2 OR priority = 3')).toBe(`(run.priority = '1' AND (run.priority = '2' OR run.priority = '3'))`);
  expect(sql('priority=1 priority=2')).toBe(`(run.priority = '1' AND run.priority = '2')`);
  expect(sql('(priority = 1 AND priority > 2) OR NOT priority<=3')).toBe(
    `((run.priority = '1' AND run.priority > '2') OR ((run.priority <= '3') IS NOT TRUE))`,
  );
  expect(sql('-(priority < -3)')).toBe(`((run.priority < '-3') IS NOT TRUE)`);
  expect(sql('priority != 1')).toBe(sql('NOT priority = 1'));
});

test('a value is read by the type of its field', () => {
  expect(sql('state = RUNNING')).toBe(`run.state = 'RUN_STATE_RUNNING'`);
  expect(sql('state = "RUN_STATE_QUEUED"')).toBe(`run.state = 'RUN_STATE_QUEUED'`);
  expect(sql('created_at >= 2026-01-31T08:00:00+02:00')).toBe(`run.created_at >= '2026-01-31T06:00:00.000Z'`);
  expect(sql('created_at < "2026-01-31"')).toBe(`run.created_at < '2026-01-31T00:00:00.000Z'`);
  expect(sql('duration > 1.5h')).toBe(`run.seconds > '5400'`);
  expect(sql('enabled = true')).toBe(`run.enabled = 'true'`);
  expect(sql('metrics.dpo/loss < 1e-3')).toBe(
    `run.id IN (SELECT found.owner FROM (SELECT run_id AS owner, value FROM run_metric WHERE name = 'dpo/loss') AS found WHERE found.value < '0.001')`,
  );
  expect(sql('metrics."a.b c" < 1')).toMatch(/name = 'a\.b c'\) AS found WHERE found\.value < '1'/);
  expect(sql('dataset = photos')).toBe(`run.id IN (SELECT run_id FROM run_input WHERE true AND dataset_name = 'photos')`);
});

test('has, null and wildcards', () => {
  expect(sql('name = "night*"')).toBe(`run.name LIKE 'night%'`);
  expect(sql('name = *1_0%')).toBe(`run.name LIKE '%1\\_0\\%'`);
  expect(sql('name : Night')).toBe(`run.name ILIKE '%Night%'`);
  expect(sql('name:Night*')).toBe(`run.name ILIKE 'Night%'`);
  expect(sql(String.raw`name = "\*\"a\\"`)).toBe(`run.name = '*"a\\'`);
  expect(sql('nightly')).toBe(`(run.name ILIKE '%nightly%')`);
  expect(sql('duration = null')).toBe(`((run.seconds IS NOT NULL) IS NOT TRUE)`);
  expect(sql('duration:*')).toBe(sql('duration != null'));
  expect(sql('name = "null"')).toBe(`run.name = 'null'`);
  expect(sql('requires.labels.gpu.kind = h100')).toBe(`(run.labels ->> 'gpu.kind') = 'h100'`);
  expect(sql('requires.labels:gpu')).toBe(`(run.labels ->> 'gpu') <> ''`);
  expect(sql('requires.labels:gpu')).toBe(sql('requires.labels.gpu:*'));
  expect(sql('events:run.failed')).toBe(
    `EXISTS (SELECT 1 FROM jsonb_array_elements_text(run.events) AS item WHERE item ILIKE '%run.failed%')`,
  );
});

test('an error has its position and says what was expected', () => {
  refused('name = ', /position 8: expected a value, got the end\.$/);
  refused('name = a AND', /position 13: expected a field or a value, got the end\.$/);
  refused('name = = b', /position 8: expected a value, got "="/);
  refused('(name = a', /position 10: expected "\)" for the "\(" at position 1, got the end/);
  refused('name = a)', /position 9: expected AND, OR or the end, got "\)"/);
  refused('name = "a', /position 8: the quote " is not closed/);
  refused('name = "a\\', /not closed/);
  refused('name = a"b"', /position 9: expected a space/);
  refused('a.= 3', /position 3: expected a field or a value/);
  refused('size > 3', /position 1: there is no field "size"/);
  refused('__proto__ = 3', /no field "__proto__"/);
  refused('constructor.name = 3', /no field "constructor\.name"/);
  refused('name.x = 3', /no field "name\.x"/);
  refused('regex(name, "x")', /position 1: functions are not supported/);
  refused('state = (A OR B)', /position 9: a value cannot be in parentheses/);
  refused('state = GONE', /position 9: state takes one of RUN_STATE_QUEUED, RUN_STATE_RUNNING, not "GONE"/);
  refused('state > RUNNING', /state can be compared with =, != and : only/);
  refused('priority = 1.5', /priority takes a whole number, not "1\.5"/);
  refused('priority = 1*', /not "1\*"/);
  refused('metrics.f1 > much', /metrics\.f1 takes a number, not "much"/);
  refused('metrics.f1 > 1e999', /takes a number/);
  refused('metrics > 1', /metrics takes a name/);
  refused('created_at > 2026-02-30', /created_at takes a time/);
  refused('created_at > 0000-01-01', /created_at takes a time/);
  refused('created_at > yesterday', /such as 2026-01-31T08:00:00Z/);
  refused('id = 3', /id takes an id/);
  refused('enabled', /expected a comparison after "enabled"/);
  refused('priority > null', /null can only be compared with = and !=/);
  refused('name = "a\0"', /position 10: unexpected control character/);
  refused('('.repeat(30), /more than 20 nested parentheses/);
  refused('a '.repeat(60), /more than 50 comparisons/);
  refused('a'.repeat(LONGEST_FILTER + 1), /at most 2000 characters/);
  refused(`name${'x'.repeat(1_000)} = 1`, /^.{0,260}$/);
});

test('an order names fields that have one value', () => {
  expect(parseOrder('', fields)).toStrictEqual([]);
  expect(parseOrder(' created_at  desc,name ', fields).map(({ sql: of, descending }) => [of, descending])).toStrictEqual([
    ['run.created_at', true],
    ['run.name', false],
  ]);
  expect(parseOrder('metrics.dpo/loss asc', fields)[0]?.key).toBe('dpo/loss');
  refused('created_at down', /expected a field, then asc or desc/, orderOf);
  refused('size', /there is no field "size" to sort by/, orderOf);
  refused('dataset', /no field "dataset" to sort by/, orderOf);
  refused('name,,id', /expected a field/, orderOf);
  refused('name, name desc', /names name twice/, orderOf);
  refused('metrics', /metrics takes a name/, orderOf);
  refused('name; DROP TABLE run', /expected a field/, orderOf);
  refused('name,id,state,priority,created_at,enabled', /at most 5 fields/, orderOf);
});

test('random garbage is a filter or a refusal, and never reaches the SQL', () => {
  const random = generator(160);
  const pieces = [
    'name',
    'state',
    'AND',
    'OR',
    'NOT',
    '-',
    '(',
    ')',
    '=',
    '!=',
    '<=',
    ':',
    '*',
    '"',
    "'",
    '\\',
    '.',
    ',',
    ' ',
    '  ',
    '\n',
    '\0',
  ];
  const odd = [
    'RUNNING',
    'null',
    '1',
    '2026-01-01',
    'metrics.f1',
    'x%_',
    '�',
    '👩‍👩‍👧',
    '\ud800',
    ':filter_0',
    '$1',
    '--',
    ';DROP TABLE run',
    '1e9',
    '\u202e',
  ];
  let filters = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const length = 1 + Math.floor(random() * 14);
    const text = Array.from({ length }, () => [...pieces, ...odd][Math.floor(random() * (pieces.length + odd.length))]).join(
      random() < 0.5 ? ' ' : '',
    );
    try {
      parseFilter(text);
      const condition = compileFilter(text, fields);
      if (condition) filters += 1;
      expect(condition?.sql.replaceAll(`''`, '') ?? '', text).not.toMatch(/DROP|👩|\$1|--|'(?!')/);
    } catch (error) {
      ensure(error instanceof DomainError, `${text}: ${String(error)}`);
      expect(error.code, `${text}: ${String(error)}`).toBe('INVALID_ARGUMENT');
      expect(error.field, `${text}: ${String(error)}`).toBe('filter');
    }
  }
  expect(filters, `${filters} of the texts are filters`).toBeGreaterThan(100);
});

/** Mulberry32: the same numbers in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
