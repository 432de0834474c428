import { migrations } from '../../../migrations/index.js';
import { migrationsFor, restoreBackup, verifyBackup, withFolder } from '../backup/index.js';
import type { Config } from '../platform/config/config.js';
import { summary } from './backup.js';
import { withOwnDatabase } from './installation.js';
import { green, print } from './terminal.js';

/** `stic restore FILE_OR_FOLDER`: the backup is read once before the installation is touched. */
export const restore = (config: Config, source: string): Promise<void> => withFolder(source, (folder) => restoreFolder(config, folder));

async function restoreFolder(config: Config, folder: string): Promise<void> {
  const manifest = await verifyBackup(folder);
  migrationsFor(manifest, migrations);
  print(`The backup is whole: ${summary(manifest)}.`);
  await withOwnDatabase(config, (databaseUrl) => restoreBackup({ databaseUrl, store: config.store, migrations }, folder, manifest));
  print(`${green('Restored')} to ${config.state}: every digest and every count is that of the backup of ${manifest.created_at}.`);
}
