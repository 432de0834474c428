import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';

import path from 'node:path';
import { parseArgs } from 'node:util';
import { pathFault } from '../platform/path-faults.js';
import { CliError } from './cli-error.js';

export type Options = {
  exit: boolean;
  arms: boolean;
  json: string | undefined;
  images: string | undefined;
  imageList: string | undefined;
  instructions: string | undefined;
  pairs: string | undefined;
  imageRoot: string | undefined;
  model: string | undefined;
  preset: string;
  seed: number | undefined;
  maxImages: number | undefined;
  /** Field path and value as typed. */
  set: [string, string][];
  state: string | undefined;
};

/** Parses the command line; undefined when only help was asked for. Throws a CliError that names the option. */
export function parseOptions(args: string[]): Options | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const own = values.images ?? values.pairs;
  if (values.instructions !== undefined && own === undefined) {
    throw new CliError('--instructions needs --images or --pairs.', 'Name what stage 1 should learn from, too.');
  }
  if (values['image-root'] !== undefined && values.instructions === undefined && values.pairs === undefined) {
    throw new CliError('--image-root needs --instructions or --pairs.', 'It says where the images named in that file are.');
  }
  if (values['image-list'] !== undefined && values.images === undefined) {
    throw new CliError('--image-list needs --images.', 'Name the folder that its names are relative to.');
  }
  if (values.arms && own !== undefined) {
    throw new CliError(
      '--arms belongs to the embedded world.',
      'Leave out your own data, or run the presets tiny-chosen-only and tiny-swapped yourself.',
    );
  }
  return {
    exit: values.exit ?? false,
    arms: values.arms ?? false,
    json: writable(values.json, '--json'),
    images: existing(values.images, '--images', 'folder'),
    imageList: existing(values['image-list'], '--image-list', 'file'),
    instructions: existing(values.instructions, '--instructions', 'file'),
    pairs: existing(values.pairs, '--pairs', 'file'),
    imageRoot: existing(values['image-root'], '--image-root', 'folder'),
    model: existing(values.model, '--model', 'folder'),
    preset: values.preset ?? (values.model === undefined ? 'tiny' : 'paper'),
    seed: wholeNumber(values.seed, '--seed', 0, 2 ** 32 - 1),
    maxImages: wholeNumber(values['max-images'], '--max-images', 1, 2 ** 31 - 1),
    set: (values.set ?? []).map(assignment),
    state: absolute(values.state),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        exit: { type: 'boolean' },
        arms: { type: 'boolean' },
        json: { type: 'string' },
        images: { type: 'string' },
        'image-list': { type: 'string' },
        instructions: { type: 'string' },
        pairs: { type: 'string' },
        'image-root': { type: 'string' },
        model: { type: 'string' },
        preset: { type: 'string' },
        seed: { type: 'string' },
        'max-images': { type: 'string' },
        set: { type: 'string', multiple: true },
        state: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error), '`npm run demo -- --help` lists the options.');
  }
}

// npm runs scripts in the repository; INIT_CWD is where the person typed the command.
const absolute = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : path.resolve(process.env['INIT_CWD'] ?? process.cwd(), value);

function existing(value: string | undefined, option: string, kind: 'file' | 'folder'): string | undefined {
  const full = absolute(value);
  if (full === undefined) return undefined;
  if (!existsSync(full)) throw new CliError(`${option}: ${full} does not exist.`, `Name a ${kind} on this machine.`);
  if (statSync(full).isDirectory() !== (kind === 'folder')) throw new CliError(`${option}: ${full} is not a ${kind}.`, `Name a ${kind}.`);
  return full;
}

/** A file that can be written, which is found out by opening it: hours of work end with it. */
function writable(value: string | undefined, option: string): string | undefined {
  const full = absolute(value);
  if (full === undefined) return undefined;
  const isNew = !existsSync(full);
  try {
    closeSync(openSync(full, 'a'));
    if (isNew) rmSync(full);
  } catch (error) {
    throw new CliError(
      `${option}: ${full} cannot be written: ${pathFault(error)}.`,
      'Name a file in a folder that exists and that you may write to.',
    );
  }
  return full;
}

function wholeNumber(value: string | undefined, option: string, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new CliError(`${option}: "${value}" is not a whole number from ${least} to ${most}.`);
  }
  return number;
}

function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CliError(`--set: "${text}" is not FIELD=VALUE.`, 'For example --set dpo.optimizer.epochs=2.');
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}
