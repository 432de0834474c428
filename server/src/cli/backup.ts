import { isInstallation, type Manifest, verifyBackup, writeBackup } from '../backup/index.js';
import type { Config } from '../platform/config/config.js';
import { CliError } from './cli-error.js';
import { withDatabase } from './installation.js';
import { dim, green, print } from './terminal.js';

/** `stic backup FOLDER`: database and store together. */
export async function backup(config: Config, folder: string): Promise<void> {
  if (!isInstallation(config.store)) {
    throw new CliError(`There is nothing to back up: ${config.store} is no artifact store.`, 'Name the state folder with --state.');
  }
  const manifest = await withDatabase(config, (databaseUrl) => writeBackup({ databaseUrl, store: config.store }, folder));
  print(`${green('Backed up')} to ${folder}: ${summary(manifest)}.`);
}

/** `stic check FOLDER`: is the backup still what was written? */
export async function check(folder: string): Promise<void> {
  const manifest = await verifyBackup(folder);
  print(`${green('Every digest is right')}: ${summary(manifest)}.`);
  print(dim(`Taken ${manifest.created_at}, schema ${manifest.migrations.at(-1) ?? 'empty'}.`));
}

export function summary({ tables, files }: Manifest): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${rows} rows of ${tables.length} tables, ${files.count} files of ${files.total_bytes} bytes`;
}
