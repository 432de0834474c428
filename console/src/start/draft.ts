import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import type { Preset } from '../gen/stic/runs/v1/runs';
import { recipeToJson, valueAt, withValueAt, type Json, type JsonObject } from '../recipe-json';

/** A run being put together. It lives in the address, so a reload or a shared link shows the same form. */
export interface Draft {
  name: string;
  /** Id of the run to fork; its recipe stands in for the preset's and its inputs are taken. */
  fork: string;
  preset: string;
  images: string;
  instructions: string;
  benchmarks: string[];
  /** Recipe fields that differ from the preset, by dotted path. A number field holds a text while that is no number. */
  edits: Record<string, Json>;
}

const editPrefix = 'set.';

function parse(search: URLSearchParams): Draft {
  const edits: Draft['edits'] = {};
  for (const [name, value] of search) {
    if (name.startsWith(editPrefix)) edits[name.slice(editPrefix.length)] = parseJson(value);
  }
  return {
    name: search.get('name') ?? '',
    fork: search.get('fork') ?? '',
    preset: search.get('preset') ?? '',
    images: search.get('images') ?? '',
    instructions: search.get('instructions') ?? '',
    benchmarks: search.getAll('benchmark'),
    edits,
  };
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function format({ benchmarks, edits, ...texts }: Draft): URLSearchParams {
  const search = new URLSearchParams(Object.entries(texts).filter(([, value]) => value !== ''));
  for (const id of benchmarks) search.append('benchmark', id);
  for (const [path, value] of Object.entries(edits)) search.set(editPrefix + path, JSON.stringify(value));
  return search;
}

export function useDraft(): [Draft, (change: Partial<Draft>) => void] {
  const [search, setSearch] = useSearchParams();
  const [draft, setDraft] = useState(() => parse(search));
  // The address follows the form; were the form to follow the address, typing would wait for the router.
  const remember = useDebouncedCallback((next: Draft) => {
    setSearch(format(next), { replace: true });
  }, 300);
  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    remember(next);
  };
  return [draft, change];
}

/** The preset's recipe with the draft's edits. */
export function draftRecipe(draft: Draft, preset: Preset): JsonObject {
  const base = presetRecipe(preset);
  return Object.entries(draft.edits).reduce((recipe, [path, value]) => withValueAt(recipe, path, value), base);
}

export function presetRecipe(preset: Preset): JsonObject {
  return preset.recipe ? recipeToJson(preset.recipe) : {};
}

/** Paths of number fields that hold something else. */
export function notNumbers(draft: Draft, preset: Preset): string[] {
  const base = presetRecipe(preset);
  return Object.entries(draft.edits)
    .filter(([path, value]) => typeof valueAt(base, path) === 'number' && typeof value !== 'number')
    .map(([path]) => path);
}

/** The body of CreateRun without request_id. */
export function draftRequest(draft: Draft, preset: Preset): JsonObject {
  if (draft.fork) return { name: draft.name.trim(), forked_from: draft.fork, recipe: draftRecipe(draft, preset) };
  const input = (role: string, id: string): JsonObject => ({ role, dataset_id: id });
  return {
    name: draft.name.trim() || `${preset.name} run`,
    recipe: draftRecipe(draft, preset),
    inputs: [
      input('images', draft.images),
      ...(draft.instructions ? [input('instructions', draft.instructions)] : []),
      ...draft.benchmarks.map((id) => input('benchmark', id)),
    ],
  };
}
