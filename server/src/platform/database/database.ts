import pg from 'pg';
import { DataSource, type EntityTarget, type MigrationInterface, type ObjectLiteral } from 'typeorm';
import { DomainError } from '../errors.js';
import { databaseFault } from './faults.js';
import { advisoryLock } from './locks.js';
import { SnakeNaming } from './naming.js';

export type DatabaseOptions = {
  url: string;
  entities: EntityTarget<ObjectLiteral>[];
  migrations: (new () => MigrationInterface)[];
};

/** Injection token of the connection string in use. */
export const DATABASE_URL = Symbol('DATABASE_URL');

/** Name of the data source of the reconciler and the scheduler. */
export const BACKGROUND = 'background';

const OLDEST_POSTGRES = 15;
const REQUEST_CONNECTIONS = 10;
const BACKGROUND_CONNECTIONS = 4;

/** Connects, brings the schema up to date and returns the ready data source. */
export async function openDatabase(options: DatabaseOptions): Promise<DataSource> {
  const dataSource = newDataSource(options, REQUEST_CONNECTIONS);
  await migrate(dataSource, options.url);
  return dataSource;
}

/** A second pool on the same database, which is up to date: what uses it never waits for a connection that requests hold. */
export function openBackground(options: DatabaseOptions): Promise<DataSource> {
  return newDataSource({ ...options, migrations: [] }, BACKGROUND_CONNECTIONS).initialize();
}

function newDataSource(options: DatabaseOptions, connections: number): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    entities: options.entities as (new () => ObjectLiteral)[],
    migrations: options.migrations,
    migrationsTableName: 'schema_migration',
    namingStrategy: new SnakeNaming(),
    synchronize: false,
    applicationName: 'stic-server',
    extra: { max: connections, connectionTimeoutMillis: 10_000 },
  });
}

/**
 * Runs pending migrations while holding an advisory lock on a connection of its own: processes that start together would
 * otherwise race for the same CREATE TABLE, and a pooled connection could lose the lock.
 */
async function migrate(dataSource: DataSource, url: string): Promise<void> {
  const locker = new pg.Client({ connectionString: url, application_name: 'stic-migrations' });
  try {
    await locker.connect();
  } catch (error) {
    throw databaseFault(error, withoutPassword(url));
  }
  try {
    await checkVersion(locker);
    await locker.query('SELECT pg_advisory_lock($1)', [advisoryLock.migrations]);
    await dataSource.initialize();
    await dataSource.runMigrations({ transaction: 'each' });
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy();
    throw error instanceof DomainError ? error : databaseFault(error, withoutPassword(url));
  } finally {
    await locker.end();
  }
}

async function checkVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
  const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
  if (major < OLDEST_POSTGRES) {
    throw new DomainError('FAILED_PRECONDITION', `This Postgres is version ${major}; ${OLDEST_POSTGRES} or newer is needed.`, {
      hint: 'Point DATABASE_URL at a newer server, or unset it to use the embedded one.',
    });
  }
}

/** The address without what must not be shown or logged. */
export function withoutPassword(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port || '5432'}${pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}
