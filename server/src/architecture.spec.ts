import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './platform/config/repository.js';

const source = path.join(repositoryRoot(), 'server/src');

/** The rooms of the server from the ground up: one may import those below it, of its own floor none. */
const FLOORS: string[][] = [
  ['platform'],
  ['model', 'recipe'],
  ['audit', 'trainers'],
  ['webhooks'],
  ['datasets', 'evaluations', 'registry'],
  ['checkpoints', 'pipeline'],
  ['runs'],
  ['schedules'],
  ['retention'],
  ['backup'],
  ['cli'],
];

/** Used on their own by every floor above, without an index. */
const OPEN = new Set(['platform', 'model', 'recipe']);

type Import = { file: string; room: string; target: string; to: string };

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && file.includes(path.sep));

const roomOf = (file: string): string => file.split(path.sep)[0] ?? '';

/** Every import of one room's file from another room. */
function importsBetween(): Import[] {
  return filesIn(source).flatMap((file) => {
    const text = readFileSync(path.join(source, file), 'utf8');
    return [...text.matchAll(/(?:from|import) '(\.{1,2}\/[^']+)'/g)].flatMap(([, specifier = '']) => {
      const target = path.normalize(path.join(path.dirname(file), specifier));
      const to = roomOf(target);
      return target.startsWith('..') || to === roomOf(file) ? [] : [{ file, room: roomOf(file), target, to }];
    });
  });
}

const floorOf = (room: string): number => FLOORS.findIndex((rooms) => rooms.includes(room));

test('every room has its floor', () => {
  const rooms = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(rooms.map(({ name }) => name).filter((name) => floorOf(name) < 0)).toStrictEqual([]);
});

test('imports go downward only', () => {
  const upward = importsBetween().filter(({ room, to }) => floorOf(to) >= floorOf(room));
  expect(upward.map(({ file, target }) => `${file} imports ${target}`)).toStrictEqual([]);
});

test('a feature is entered through its index', () => {
  const deep = importsBetween().filter(({ room, to, target }) => room !== 'cli' && !OPEN.has(to) && target !== path.join(to, 'index.js'));
  expect(deep.map(({ file, target }) => `${file} imports ${target}`)).toStrictEqual([]);
});
