import { shown } from '../printable.js';
import { type Field, type Fields, findField, namesOf } from './fields.js';
import { type Filter, filterError, type Literal, type Operator, parseFilter } from './parse.js';
import { readValue, TYPES } from './values.js';

/** A condition for a WHERE clause with its named parameters. */
export type Condition = { readonly sql: string; readonly parameters: Readonly<Record<string, string>> };

type Compare = Extract<Filter, { is: 'compare' }>;

/** Types whose values have an order. */
const ORDERED: ReadonlySet<string> = new Set(['text', 'integer', 'number', 'time', 'duration']);

/** The filter as SQL; undefined for an empty one. */
export function compileFilter(text: string, fields: Fields): Condition | undefined {
  const filter = parseFilter(text);
  if (!filter) return undefined;
  const compiler = new Compiler(fields);
  return { sql: compiler.compile(filter), parameters: compiler.parameters };
}

/**
 * A comparison with a value that is missing does not hold, and its negation does: NOT is the complement, and a != 1 is NOT a = 1.
 * Without a negation a comparison stays as it is, so that an index can serve it.
 */
class Compiler {
  readonly parameters: Record<string, string> = {};

  constructor(private readonly fields: Fields) {}

  compile(filter: Filter): string {
    switch (filter.is) {
      case 'and':
        return `(${filter.parts.map((part) => this.compile(part)).join(' AND ')})`;
      case 'or':
        return `(${filter.parts.map((part) => this.compile(part)).join(' OR ')})`;
      case 'not':
        return not(this.compile(filter.part));
      case 'search':
        return this.search(filter);
      case 'compare':
        return this.compare(filter);
    }
  }

  private search({ text, at }: Extract<Filter, { is: 'search' }>): string {
    const searched = Object.values(this.fields).filter((field) => field.searched);
    if (searched.length === 0 || findField(this.fields, text.split('.'))) {
      throw filterError(at, `expected a comparison after "${shown(text)}"`, 'Such as = "text", != 1, >= 2026-01-31, : word or = null.');
    }
    const pattern = this.parameter(`%${escaped(text)}%`, 'text');
    return `(${searched.map((field) => field.where((value) => `${value} ILIKE ${pattern}`, '')).join(' OR ')})`;
  }

  private compare(comparison: Compare): string {
    const { path, at, operator } = comparison;
    const found = findField(this.fields, path);
    if (!found) throw filterError(at, `there is no field "${shown(path.join('.'))}"`, `Fields are: ${namesOf(this.fields)}.`);
    const { name, field, key } = found;
    if (field.keyed === true && key === undefined) return this.hasKey(name, field, comparison);
    const placeholder = key === undefined ? '' : this.parameter(key, 'text');
    const { value } = comparison;
    if (isNull(value)) {
      if (operator !== '=' && operator !== '!=') throw filterError(value.at, `null can only be compared with = and !=, not ${operator}`);
      const present = field.where(isPresent(field), placeholder);
      return operator === '=' ? not(present) : present;
    }
    if (operator === ':' && isStar(value)) return field.where(isPresent(field), placeholder);
    const sql = field.where(this.test(path.join('.'), field, comparison), placeholder);
    return operator === '!=' ? not(sql) : sql;
  }

  /** metrics:f1 holds for what has that metric. */
  private hasKey(name: string, field: Field, { operator, value, at }: Compare): string {
    if (operator !== ':' || isStar(value)) throw filterError(at, `${name} takes a name, as in ${name}.<name> = 1 or ${name}:<name>`);
    return field.where(isPresent(field), this.parameter(value.text, 'text'));
  }

  private test(name: string, field: Field, { operator, value, at }: Compare): (sql: string) => string {
    if (field.type === 'text') return this.textTest(operator, value);
    if (isOrder(operator) && !ORDERED.has(field.type)) throw filterError(at, `${shown(name)} can be compared with =, != and : only`);
    const stars = { ...value, text: `${value.open.start ? '*' : ''}${value.text}${value.open.end ? '*' : ''}` };
    const parameter = this.parameter(readValue(name, field, stars), TYPES[field.type].sql);
    return (sql) => `${sql} ${isOrder(operator) ? operator : '='} ${parameter}`;
  }

  /** `=` is exact, `:` finds the text anywhere and in any case; with a wildcard both hold to the side without one. */
  private textTest(operator: Operator, { text, open }: Literal): (sql: string) => string {
    if (isOrder(operator)) {
      const parameter = this.parameter(`${open.start ? '*' : ''}${text}${open.end ? '*' : ''}`, 'text');
      return (sql) => `${sql} COLLATE "C" ${operator} ${parameter}`;
    }
    const wild = open.start || open.end;
    if (operator !== ':' && !wild) {
      const parameter = this.parameter(text, 'text');
      return (sql) => `${sql} = ${parameter}`;
    }
    const pattern = `${open.start || !wild ? '%' : ''}${escaped(text)}${open.end || !wild ? '%' : ''}`;
    const parameter = this.parameter(pattern, 'text');
    return (sql) => `${sql} ${operator === ':' ? 'ILIKE' : 'LIKE'} ${parameter}`;
  }

  private parameter(value: string, type: string): string {
    const name = `filter_${Object.keys(this.parameters).length}`;
    this.parameters[name] = value;
    return `CAST(:${name} AS ${type})`;
  }
}

const not = (sql: string): string => `((${sql}) IS NOT TRUE)`;

const isOrder = (operator: Operator): boolean => operator.startsWith('<') || operator.startsWith('>');

const isNull = ({ quoted, text, open }: Literal): boolean => !quoted && text === 'null' && !open.start && !open.end;

const isStar = ({ text, open }: Literal): boolean => text === '' && open.start;

/** An empty text counts as missing: the tables store it so. */
const isPresent = ({ type }: Field): ((sql: string) => string) =>
  type === 'text' ? (sql) => `${sql} <> ''` : (sql) => `${sql} IS NOT NULL`;

/** LIKE knows % and _ and takes what follows a backslash as it is. */
const escaped = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');
