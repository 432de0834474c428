/** What the values of a field are; durations are seconds. */
export type FieldType = 'text' | 'uuid' | 'integer' | 'number' | 'boolean' | 'time' | 'duration' | 'enum';

/** Puts SQL together around the SQL of a value. */
type Test = (value: string) => string;

/**
 * A field that a list can be filtered by. Its SQL is written here, in the code: of a request only parameters reach a statement, `key`
 * included, which is the placeholder of what follows the field's name in metrics.f1.
 */
export type Field = {
  readonly type: FieldType;
  /** Names of an enum, as they are stored. */
  readonly values?: readonly string[];
  /** Followed by a key of the caller's choice. */
  readonly keyed?: boolean;
  /** Found by words that stand without a field. */
  readonly searched?: boolean;
  /** SQL that holds when the test does for the value, or for one of the values where there are several. */
  where(test: Test, key: string): string;
  /** SQL of the one value to sort by; absent where there are several. `joined` is the name its own rows have in the query. */
  readonly value?: (key: string, joined: string) => string;
  /** The rows that are joined for it: sorted so, all are read at once, not one by one. */
  readonly join?: (key: string, joined: string) => { readonly rows: string; readonly on: string };
  /** The value may be NULL. */
  readonly nullable?: boolean;
};

/** By name; a name may have dots. */
export type Fields = Readonly<Record<string, Field>>;

/** A column, or an expression. */
export function column(type: FieldType, sql: string, options: Pick<Field, 'values' | 'searched' | 'nullable'> = {}): Field {
  return { type, where: (test) => test(sql), value: () => sql, ...options };
}

/** A column with the names of a proto enum, of which UNSPECIFIED and UNRECOGNIZED are never stored. */
export function enumColumn(sql: string, names: Readonly<Record<string, string>>): Field {
  const values = Object.values(names).filter((name) => !/UNSPECIFIED$|^UNRECOGNIZED$/.test(name));
  return column('enum', sql, { values });
}

/** One column of other rows that belong to a row: it matches when one of them does. `from` ends in a condition. */
export function related(type: FieldType, sql: string, id: string, from: string): Field {
  return { type, where: (test) => `${id} IN (SELECT ${from} AND ${test(sql)})` };
}

/** A number that other rows hold, chosen by a key. `rows` is a SELECT of `owner`, to which it belongs, and `value`, one per owner. */
export function keyedNumber(id: string, rows: (key: string) => string): Field {
  return {
    type: 'number',
    keyed: true,
    where: (test, key) => `${id} IN (SELECT found.owner FROM (${rows(key)}) AS found WHERE ${test('found.value')})`,
    value: (_key, joined) => `${joined}.value`,
    join: (key, joined) => ({ rows: `(${rows(key)})`, on: `${joined}.owner = ${id}` }),
    nullable: true,
  };
}

/** A JSON object of texts. */
export function map(sql: string): Field {
  const value = (key: string): string => `(${sql} ->> ${key})`;
  return { type: 'text', keyed: true, where: (test, key) => test(value(key)), value, nullable: true };
}

/** A JSON list of texts: it matches when one of them does. */
export function list(sql: string): Field {
  return { type: 'text', where: (test) => `EXISTS (SELECT 1 FROM jsonb_array_elements_text(${sql}) AS item WHERE ${test('item')})` };
}

/** The field a path names, and what follows the name. */
export function findField(fields: Fields, path: readonly string[]): { name: string; field: Field; key: string | undefined } | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const name = path.slice(0, length).join('.');
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) continue;
    const key = length === path.length ? undefined : path.slice(length).join('.');
    return key !== undefined && field.keyed !== true ? undefined : { name, field, key };
  }
  return undefined;
}

/** The names as a caller writes them. */
export const namesOf = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, field]) => (field.keyed === true ? `${name}.<name>` : name))
    .join(', ');
