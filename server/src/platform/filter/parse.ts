import { type DomainError, invalid } from '../errors.js';
import { shown } from '../printable.js';

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | ':';

/** A value as written. `open` says on which side a wildcard stood; `at` is its first character, counted from 0. */
export type Literal = { readonly text: string; readonly quoted: boolean; readonly open: Open; readonly at: number };
type Open = { readonly start: boolean; readonly end: boolean };

export type Filter =
  | { readonly is: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly is: 'not'; readonly part: Filter }
  | { readonly is: 'compare'; readonly path: readonly string[]; readonly operator: Operator; readonly value: Literal; readonly at: number }
  | { readonly is: 'search'; readonly text: string; readonly at: number };

export const LONGEST_FILTER = 2_000;
const DEEPEST = 20;
const MOST_COMPARISONS = 50;

const SPACE = /[ \t\r\n]*/y;
const WORD = /[^\s()"'.,:=<>!*]+/y;
/** After an operator `.`, `:` and `*` belong to the value, so that a time needs no quotes. */
const VALUE = /[^\s()"'=<>!,]+/y;
const OPERATOR = /<=|>=|!=|[=<>:]/y;
const KEYWORDS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT']);
/** Postgres stores no NUL, and the others are never meant. */
const CONTROL = /(?![\t\r\n])\p{Cc}/u;

/** Reads an AIP-160 filter; undefined when there is none. INVALID_ARGUMENT with the position otherwise. */
export function parseFilter(text: string): Filter | undefined {
  if (text.length > LONGEST_FILTER) throw invalid('filter', `filter has at most ${LONGEST_FILTER} characters, not ${text.length}.`);
  const control = CONTROL.exec(text);
  if (control) throw filterError(control.index, `unexpected control character ${shown(control[0])}`);
  return new Parser(text).filter();
}

/** An error of the filter; positions count from 1. */
export function filterError(at: number, problem: string, hint?: string): DomainError {
  return invalid('filter', `filter, position ${at + 1}: ${problem}.`, hint);
}

/** Recursive descent by the grammar of AIP-160: OR binds tighter than AND, and terms side by side are joined by AND. */
class Parser {
  private at = 0;
  private depth = 0;
  private comparisons = 0;

  constructor(private readonly text: string) {}

  filter(): Filter | undefined {
    this.skipSpace();
    if (this.ended()) return undefined;
    const filter = this.expression();
    if (!this.ended()) throw this.unexpected('AND, OR or the end');
    return filter;
  }

  private expression(): Filter {
    const parts = [this.factor()];
    while (!this.ended() && this.peek() !== ')') {
      this.keyword('AND');
      parts.push(this.factor());
    }
    return joined('and', parts);
  }

  private factor(): Filter {
    const parts = [this.term()];
    while (this.keyword('OR')) parts.push(this.term());
    return joined('or', parts);
  }

  private term(): Filter {
    const negated = this.keyword('NOT') || this.minus();
    const simple = this.peek() === '(' ? this.composite() : this.restriction();
    this.separated();
    return negated ? { is: 'not', part: simple } : simple;
  }

  private composite(): Filter {
    const opened = this.at;
    this.depth += 1;
    if (this.depth > DEEPEST) throw filterError(opened, `more than ${DEEPEST} nested parentheses`);
    this.at += 1;
    this.skipSpace();
    const inner = this.expression();
    if (this.peek() !== ')') throw this.unexpected(`")" for the "(" at position ${opened + 1}`);
    this.at += 1;
    this.depth -= 1;
    return inner;
  }

  private restriction(): Filter {
    const at = this.at;
    this.comparisons += 1;
    if (this.comparisons > MOST_COMPARISONS) throw filterError(at, `more than ${MOST_COMPARISONS} comparisons`);
    const path = this.path();
    if (this.peek() === '(') throw filterError(at, 'functions are not supported');
    const end = this.at;
    this.skipSpace();
    const operator = this.take(OPERATOR) as Operator | undefined;
    if (operator) {
      this.skipSpace();
      return { is: 'compare', path, operator, value: this.value(), at };
    }
    this.at = end;
    return { is: 'search', text: path.join('.'), at };
  }

  private path(): string[] {
    const path = [this.segment()];
    while (this.peek() === '.') {
      this.at += 1;
      path.push(this.segment());
    }
    return path;
  }

  private segment(): string {
    if (this.isQuote()) return this.quoted().text;
    const at = this.at;
    const word = this.take(WORD);
    if (word !== undefined && !KEYWORDS.has(word)) return word;
    this.at = at;
    throw this.unexpected('a field or a value');
  }

  private value(): Literal {
    if (this.isQuote()) return this.quoted();
    const at = this.at;
    if (this.peek() === '(') throw filterError(at, 'a value cannot be in parentheses', 'Repeat the field: a = 1 OR a = 2.');
    const text = this.take(VALUE);
    if (text === undefined || KEYWORDS.has(text)) {
      this.at = at;
      throw this.unexpected('a value');
    }
    const start = text.startsWith('*');
    const end = text.length > 1 && text.endsWith('*');
    return { text: text.slice(start ? 1 : 0, end ? -1 : undefined), quoted: false, open: { start, end }, at };
  }

  /** A backslash takes the next character as it is: \" \' \\ and \* for a star that is no wildcard. */
  private quoted(): Literal {
    const at = this.at;
    const quote = this.peek();
    const characters: { character: string; plain: boolean }[] = [];
    for (this.at += 1; this.peek() !== quote; this.at += 1) {
      const plain = this.peek() !== '\\';
      if (!plain) this.at += 1;
      if (this.ended()) throw filterError(at, `the quote ${quote} is not closed`);
      characters.push({ character: this.peek(), plain });
    }
    this.at += 1;
    const isStar = (one: (typeof characters)[number] | undefined): boolean => one?.plain === true && one.character === '*';
    const start = isStar(characters[0]);
    const end = characters.length > 1 && isStar(characters.at(-1));
    const text = characters.slice(start ? 1 : 0, end ? -1 : undefined);
    return { text: text.map(({ character }) => character).join(''), quoted: true, open: { start, end }, at };
  }

  /** A minus negates the term it touches. */
  private minus(): boolean {
    if (!/^-[^\s]/.test(this.text.slice(this.at, this.at + 2))) return false;
    this.at += 1;
    return true;
  }

  private keyword(word: string): boolean {
    const at = this.at;
    const found = this.take(WORD) === word && !/[.:=<>!"']/.test(this.peek());
    if (found) this.skipSpace();
    else this.at = at;
    return found;
  }

  /** Terms stand apart: a"b" is a mistake, not two terms. */
  private separated(): void {
    const at = this.at;
    this.skipSpace();
    if (at === this.at && !this.ended() && this.peek() !== ')') throw this.unexpected('a space');
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private skipSpace(): void {
    this.take(SPACE);
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private isQuote(): boolean {
    return this.peek() === '"' || this.peek() === "'";
  }

  private ended(): boolean {
    return this.at >= this.text.length;
  }

  private unexpected(expected: string): DomainError {
    const rest = /^(\S\w*)/.exec(this.text.slice(this.at))?.[1];
    return filterError(this.at, `expected ${expected}, got ${rest === undefined ? 'the end' : `"${shown(rest)}"`}`);
  }
}

function joined(is: 'and' | 'or', parts: Filter[]): Filter {
  const [only] = parts;
  return only && parts.length === 1 ? only : { is, parts };
}
