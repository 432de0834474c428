// The state diagrams of docs/concepts.md name the states of the protos, all of them and no others.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../setup/stamps.mjs';

const PAGE = 'docs/concepts.md';
/** Heading of a diagram and the enum it shows. */
const DIAGRAMS = { run: 'RunState', stage: 'StageState', attempt: 'JobState', tick: 'TickState', gate: 'GateState' };

export function diagramsAreCurrent() {
  const page = readFileSync(path.join(root, PAGE), 'utf8');
  const protos = readdirSync(path.join(root, 'proto'), { recursive: true })
    .filter((name) => name.endsWith('.proto'))
    .map((name) => readFileSync(path.join(root, 'proto', name), 'utf8'))
    .join('\n');
  const wrong = Object.entries(DIAGRAMS).flatMap(([heading, name]) => {
    const [shown, declared] = [statesShown(page, heading), statesOf(protos, name)];
    return differences(shown, declared).map((text) => `${PAGE}, states of ${heading}: ${text}`);
  });
  return { code: wrong.length, output: wrong.join('\n') };
}

function statesShown(page, heading) {
  const diagram = new RegExp(`^## States of an? ${heading}\\n+\`\`\`mermaid\\n([\\s\\S]*?)\`\`\``, 'm').exec(page)?.[1] ?? '';
  const arrows = diagram.split('\n').map((line) => line.split(':')[0]);
  return new Set(arrows.join(' ').match(/\b[A-Z_]{3,}\b/g));
}

/** The enum's values without their prefix. */
function statesOf(protos, name) {
  const body = new RegExp(`^enum ${name} \\{([\\s\\S]*?)^\\}`, 'm').exec(protos)?.[1] ?? '';
  const prefix = name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
  return new Set([...body.matchAll(new RegExp(`^\\s+${prefix}_(\\w+) =`, 'gm'))].map((match) => match[1]));
}

function differences(shown, declared) {
  const missing = [...declared].filter((state) => state !== 'UNSPECIFIED' && !shown.has(state)).map((state) => `${state} is missing`);
  const unknown = [...shown].filter((state) => !declared.has(state)).map((state) => `${state} is not a state`);
  return declared.size === 0 ? ['the enum was not found'] : [...missing, ...unknown];
}
