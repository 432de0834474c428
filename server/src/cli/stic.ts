import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Config, loadConfig } from '../platform/config/config.js';
import { backup, check } from './backup.js';
import { CliError, printError } from './cli-error.js';
import { exportCheckpoint } from './export.js';
import { helpOf } from './help.js';
import { restore } from './restore.js';
import { print } from './terminal.js';

const COMMANDS: Readonly<Record<string, (config: Config, folder: string) => Promise<void>>> = {
  backup,
  check: (_, folder) => check(folder),
  restore,
};

const OPTIONS = {
  state: { type: 'string' },
  merged: { type: 'boolean' },
  dtype: { type: 'string' },
  help: { type: 'boolean' },
} as const;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parse(args);
  const [name = '', operand, ...more] = positionals;
  if (values.help || name === 'help') {
    print(helpOf('stic'));
    return;
  }
  const state = values.state === undefined ? {} : { STIC_STATE: absolute(values.state) };
  const config = loadConfig({ ...process.env, ...state });
  if (name === 'export') {
    const [folder, ...rest] = more;
    if (operand === undefined || folder === undefined || rest.length > 0) throw usage('export needs a checkpoint id and a new folder.');
    await exportCheckpoint(config, operand, absolute(folder), { merged: values.merged ?? false, dtype: values.dtype ?? '' });
    return;
  }
  const command = COMMANDS[name];
  if (command === undefined) throw usage(name === '' ? 'No command was given.' : `There is no command "${name}".`);
  if (operand === undefined || more.length > 0) throw usage(`${name} needs one file or folder.`);
  await command(config, absolute(operand));
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

// npm runs scripts in the repository; INIT_CWD is where the person typed the command.
const absolute = (value: string): string => path.resolve(process.env['INIT_CWD'] ?? process.cwd(), value);

const usage = (message: string): CliError => new CliError(message, '`npm run stic -- --help` says how it is used.');

try {
  await main(process.argv.slice(2));
} catch (error) {
  printError(error);
  process.exitCode = 1;
}
