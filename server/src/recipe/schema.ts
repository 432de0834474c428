import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../platform/config/repository.js';
import type { Json } from './canonical.js';

/** What a value of a recipe may be; stic.api.v1.FieldRules says what each rule means. */
export interface FieldRules {
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'enum' | 'map';
  /** The rules as the end of the sentence "It must be ...". */
  readonly allowed: string;
  readonly repeated?: boolean;
  /** The names of an enum's values. */
  readonly values?: readonly string[];
  readonly required?: boolean;
  readonly uuid?: boolean;
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
  readonly min_len?: number;
  readonly max_len?: number;
  readonly min_items?: number;
  readonly max_items?: number;
  readonly pattern?: string;
  readonly unique?: boolean;
  readonly not_contains?: string;
  /** The part of the recipe that may be left out with this field. */
  readonly optional_part?: string;
  /** What the field means, in a sentence. */
  readonly comment?: string;
}

export type RecipeSchema = Readonly<Record<string, FieldRules>>;

/** The rules of every leaf of a recipe by its path, in the proto's order; `[]` stands for each entry of a list. */
export function readRecipeSchema(): RecipeSchema {
  const file = path.join(repositoryRoot(), 'recipes', 'generated', 'schema.json');
  return JSON.parse(readFileSync(file, 'utf8')) as RecipeSchema;
}

/** Whether the value is what its field may hold. */
export function holds(rules: FieldRules, value: Json): boolean {
  return rules.repeated === true ? listHolds(rules, value) : oneHolds(rules, value);
}

function listHolds(rules: FieldRules, value: Json): boolean {
  if (!Array.isArray(value)) return false;
  const { min_items: least = 0, max_items: most = Infinity, unique = false } = rules;
  if (value.length < least || value.length > most) return false;
  return (!unique || new Set(value).size === value.length) && value.every((entry) => oneHolds(rules, entry));
}

function oneHolds(rules: FieldRules, value: Json): boolean {
  switch (rules.type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'enum':
      return typeof value === 'string' && rules.values?.includes(value) === true;
    case 'integer':
      return Number.isInteger(value) && numberHolds(rules, Number(value));
    case 'number':
      return Number.isFinite(value) && numberHolds(rules, Number(value));
    case 'string':
      return typeof value === 'string' && textHolds(rules, value);
    case 'map':
      return value !== null && typeof value === 'object' && !Array.isArray(value);
  }
}

function numberHolds({ gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity }: FieldRules, value: number): boolean {
  return value > gt && value >= gte && value < lt && value <= lte;
}

function textHolds(rules: FieldRules, value: string): boolean {
  const { min_len: least = 0, max_len: most = Infinity, pattern, not_contains: foreign } = rules;
  if (value === '' && rules.repeated !== true) return rules.required !== true;
  const trimmed = value.trim();
  if (rules.required === true && trimmed === '') return false;
  if (Array.from(trimmed).length < least || Array.from(value).length > most) return false;
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test(value)) return false;
  if (rules.uuid === true && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) return false;
  return foreign === undefined || !value.includes(foreign);
}
