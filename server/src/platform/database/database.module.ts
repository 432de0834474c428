import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Changes } from './watch.js';
import { BACKGROUND, DATABASE_URL, type DatabaseOptions, openBackground, openDatabase } from './database.js';

/** The data source of requests, migrated, that of the background loops, and the change feed, all on one database. */
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
        TypeOrmModule.forRootAsync({
          name: BACKGROUND,
          // Only once the schema is up to date.
          inject: [DataSource],
          useFactory: () => ({ name: BACKGROUND, type: 'postgres', retryAttempts: 1 }),
          dataSourceFactory: () => openBackground(options),
        }),
      ],
      providers: [{ provide: DATABASE_URL, useValue: options.url }, Changes],
      exports: [DATABASE_URL, Changes],
    };
  }
}
