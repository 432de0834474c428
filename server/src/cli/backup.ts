import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isArchive, isInstallation, type Manifest, packBackup, verifyBackup, withFolder, writeBackup } from '../backup/index.js';
import type { Config } from '../platform/config/config.js';
import { CliError } from './cli-error.js';
import { withDatabase } from './installation.js';
import { dim, green, print } from './terminal.js';

/** `stic backup FILE_OR_FOLDER`: database and store together. */
export async function backup(config: Config, target: string): Promise<void> {
  if (!isInstallation(config.store)) {
    throw new CliError(`There is nothing to back up: ${config.store} is no artifact store.`, 'Name the state folder with --state.');
  }
  if (existsSync(target)) throw new CliError(`${target} exists already.`, 'Name one that does not exist yet.');
  const folder = isArchive(target) ? `${target}.content` : target;
  if (folder !== target) await rm(folder, { recursive: true, force: true });
  try {
    const manifest = await withDatabase(config, (databaseUrl) => writeBackup({ databaseUrl, store: config.store }, folder));
    if (folder !== target) await packBackup(folder, target);
    print(`${green('Backed up')} to ${target}: ${summary(manifest)}.`);
  } finally {
    if (folder !== target) await rm(folder, { recursive: true, force: true });
  }
}

/** `stic check FILE_OR_FOLDER`: is the backup still what was written? */
export async function check(source: string): Promise<void> {
  const manifest = await withFolder(source, verifyBackup);
  print(`${green('Every digest is right')}: ${summary(manifest)}.`);
  print(dim(`Taken ${manifest.created_at}, schema ${manifest.migrations.at(-1) ?? 'empty'}.`));
}

export function summary({ tables, files }: Manifest): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${rows} rows of ${tables.length} tables, ${files.count} files of ${files.total_bytes} bytes`;
}
