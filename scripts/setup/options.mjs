// The command lines of the npm scripts. Help comes before anything is set up; an option that does not exist is refused.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './stamps.mjs';
import { Problem } from './terminal.mjs';

/** Prints scripts/help/VERB.txt and ends the process when the arguments ask for it. */
export function help(verb, args, more = '') {
  if (!args.includes('--help')) return;
  process.stdout.write(readFileSync(path.join(root, 'scripts/help', `${verb}.txt`), 'utf8') + more);
  process.exit(0);
}

/** The values of the options of `node:util`'s parseArgs; a Problem for any other argument. */
export function options(verb, args, known) {
  return parsed(verb, args, { options: known }).values;
}

/** The same with words that are no options. */
export function commandLine(verb, args, known) {
  return parsed(verb, args, { options: known, allowPositionals: true });
}

function parsed(verb, args, how) {
  help(verb, args);
  try {
    return parseArgs({ args, ...how });
  } catch (error) {
    throw new Problem(error.message, `\`npm run ${verb} -- --help\` lists the options.`);
  }
}
