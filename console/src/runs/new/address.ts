import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import type { Json } from '../../recipe-json';
import type { Draft } from './draft';

const texts = ['name', 'fork', 'preset', 'images', 'preferences', 'instructions', 'priority', 'gpuMemory'] as const;
const lists = [
  ['benchmark', 'benchmarks'],
  ['label', 'labels'],
] as const;
const editPrefix = 'set.';

/** The draft lives in the address, so a reload or a shared link shows the same form. What equals the defaults is left out. */
export function useDraft(defaults: Draft): [Draft, (change: Partial<Draft>) => void] {
  const [search, setSearch] = useSearchParams();
  const [draft, setDraft] = useState(() => parse(search, defaults));
  // The address follows the form; were the form to follow the address, typing would wait for the router.
  const remember = useDebouncedCallback((next: Draft) => {
    setSearch(format(next, defaults), { replace: true });
  }, 300);
  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    remember(next);
  };
  return [draft, change];
}

function parse(search: URLSearchParams, defaults: Draft): Draft {
  const draft = { ...defaults, edits: { ...defaults.edits } };
  for (const name of texts) draft[name] = search.get(name) ?? defaults[name];
  for (const [name, field] of lists) if (search.has(name)) draft[field] = search.getAll(name).filter(Boolean);
  for (const [name, value] of search) {
    if (name.startsWith(editPrefix)) draft.edits[name.slice(editPrefix.length)] = parseJson(value);
  }
  return draft;
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function format(draft: Draft, defaults: Draft): URLSearchParams {
  const search = new URLSearchParams();
  for (const name of texts) if (draft[name] !== defaults[name]) search.set(name, draft[name]);
  for (const [name, field] of lists) {
    if (draft[field].join() === defaults[field].join()) continue;
    // An empty one says that there are none, though there are by default.
    for (const item of draft[field].length > 0 ? draft[field] : ['']) search.append(name, item);
  }
  for (const [path, value] of Object.entries(draft.edits)) search.set(editPrefix + path, JSON.stringify(value));
  return search;
}
