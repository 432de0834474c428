import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { PromptSet, Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import type { Preset } from '@stic/api/gen/stic/runs/v1/runs.js';
import { differencesFromPaper } from './differences.js';
import { promptsDigest, wholeJson } from './fields.js';
import type { Json } from './canonical.js';
import { validatePreset, validatePrompts } from './validate.js';

type Fields = { [key: string]: Json };
export type Presets = ReadonlyMap<string, Preset>;

/**
 * Reads recipes/*.json and prompts/*.json into whole recipes, `paper` first, then `tiny`, then by name.
 * Throws with the file's name when one does not parse, names an unknown field or preset, lacks a field or is out of range.
 */
export function loadPresets(recipesFolder: string, promptsFolder: string): Presets {
  const files = readFolder(recipesFolder);
  const prompts = loadPrompts(promptsFolder);
  const whole = [...files.keys()]
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .map((name): Preset => {
      const merged = resolve(name, files, []);
      return { name, description: text(merged.description), recipe: read(name, merged, prompts), differences: [] };
    });
  const paper = whole.find((preset) => preset.name === 'paper')?.recipe;
  if (!paper) throw new Error(`${recipesFolder} has no paper.json, the recipe all others are compared with.`);
  for (const preset of whole) if (preset.recipe) preset.differences = differencesFromPaper(paper, preset.recipe);
  return new Map(whole.map((preset) => [preset.name, preset]));
}

/** The prompt sets by name, with their digests. Throws with the set's name for an unknown field or a text that is missing. */
export function loadPrompts(folder: string): ReadonlyMap<string, PromptSet> {
  const sets = [...readFolder(folder)].map(([name, fields]): [string, PromptSet] => {
    const set = PromptSet.fromJSON(fields);
    refuseUnknown(`prompt set ${name}`, fields, wholeJson(set));
    const complete = { ...set, name, digest: promptsDigest(set) };
    validated(`Prompt set ${name}`, () => {
      validatePrompts(complete);
    });
    return [name, complete];
  });
  return new Map(sets);
}

function rank(name: string): number {
  const first = ['paper', 'tiny'];
  return first.includes(name) ? first.indexOf(name) : first.length;
}

function readFolder(folder: string): Map<string, Fields> {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort();
  return new Map(files.map((file) => [file.slice(0, -'.json'.length), parse(path.join(folder, file))]));
}

function parse(file: string): Fields {
  let value: Json;
  try {
    value = JSON.parse(readFileSync(file, 'utf8')) as Json;
  } catch (error) {
    throw new Error(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (!isFields(value)) throw new Error(`${file} must hold one JSON object.`);
  return value;
}

function resolve(name: string, files: ReadonlyMap<string, Fields>, chain: string[]): Fields {
  const fields = files.get(name);
  if (!fields) throw new Error(`Preset ${chain.at(-1)} extends ${name}, which does not exist.`);
  if (chain.includes(name)) throw new Error(`Presets extend each other in a circle: ${[...chain, name].join(' -> ')}.`);
  const { extends: base, ...own } = fields;
  return base === undefined ? own : merge(resolve(text(base), files, [...chain, name]), own);
}

function merge(base: Fields, over: Fields): Fields {
  const merged: Fields = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key] ?? null;
    merged[key] = isFields(below) && isFields(value) ? merge(below, value) : value;
  }
  return merged;
}

function read(name: string, merged: Fields, prompts: ReadonlyMap<string, PromptSet>): Recipe {
  const fields = { ...merged };
  delete fields.description;
  const recipe = Recipe.fromJSON(fields);
  refuseUnknown(`preset ${name}`, fields, wholeJson(recipe));
  const set = prompts.get(recipe.prompts?.name ?? '');
  if (!set) throw new Error(`Preset ${name} names the prompt set "${recipe.prompts?.name ?? ''}", which prompts/ does not have.`);
  const complete: Recipe = { ...recipe, preset: name, prompts: PromptSet.fromPartial(set) };
  validated(`Preset ${name}`, () => {
    validatePreset(complete);
  });
  return complete;
}

function validated(what: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A misspelt field would otherwise vanish without a word. */
function refuseUnknown(where: string, given: Json, known: Json, at = ''): void {
  if (!isFields(given)) return;
  for (const [key, value] of Object.entries(given)) {
    const inner = isFields(known) ? known[key] : undefined;
    if (inner === undefined) throw new Error(`In ${where}, ${at}${key} is not a field.`);
    refuseUnknown(where, value, inner, `${at}${key}.`);
  }
}

function isFields(value: Json): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
