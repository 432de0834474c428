import { Logger } from '@nestjs/common';
import type { Config } from '../platform/config/config.js';
import { EmbeddedPostgres } from '../platform/embedded-postgres/embedded-postgres.js';
import { claimStateFolder } from '../platform/processes/state-folder.js';

/** Does the work with the address of the installation's database, also when its server runs: then with the database of that one. */
export async function withDatabase<T>(config: Config, work: (databaseUrl: string) => Promise<T>): Promise<T> {
  if (config.databaseUrl !== undefined) return work(config.databaseUrl);
  const running = await EmbeddedPostgres.running(embedded(config));
  return running === undefined ? withOwnDatabase(config, work) : work(running);
}

/** The same for who needs the installation for itself: refused in words while a server runs on its state folder. */
export async function withOwnDatabase<T>(config: Config, work: (databaseUrl: string) => Promise<T>): Promise<T> {
  const claim = claimStateFolder(config.state);
  try {
    if (config.databaseUrl !== undefined) return await work(config.databaseUrl);
    // Its comings and goings are no news to who has typed a command.
    Logger.overrideLogger(false);
    const postgres = await EmbeddedPostgres.open(embedded(config));
    try {
      return await work(postgres.url);
    } finally {
      await postgres.close();
    }
  } finally {
    claim.release();
  }
}

const embedded = ({ state, postgresBinaries }: Config): { state: string; binaries: string | undefined } => ({
  state,
  binaries: postgresBinaries,
});
