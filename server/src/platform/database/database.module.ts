import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Changes } from './watch.js';
import { DATABASE_URL, type DatabaseOptions, openDatabase } from './database.js';

/** The one data source, migrated, and the change feed on the same database. */
@Module({})
export class DatabaseModule {
  static register(options: DatabaseOptions): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          // Retries would hide the reason; the launcher has already waited for Postgres.
          useFactory: () => ({ type: 'postgres', retryAttempts: 1 }),
          dataSourceFactory: () => openDatabase(options),
        }),
      ],
      providers: [{ provide: DATABASE_URL, useValue: options.url }, Changes],
      exports: [DATABASE_URL, Changes],
    };
  }
}
