import { EventEmitter } from 'node:events';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import pg from 'pg';
import { DATABASE_URL } from './database.js';
import { messageOf } from '../errors.js';
import { Bell, pause } from '../timing.js';

const CHANNEL = 'stic_changes';
const RECONNECT_MS = 1_000;

/** What `notify` needs of an EntityManager, a QueryRunner or a DataSource. */
export type SqlExecutor = { query(sql: string, parameters: unknown[]): Promise<unknown> };

/** Wakes all watchers of `topic`, on every server, when the executor's transaction commits. A topic is like `run:<id>`. */
export async function notifyChange(executor: SqlExecutor, topic: string): Promise<void> {
  await executor.query('SELECT pg_notify($1, $2)', [CHANNEL, topic]);
}

export type WatchOptions<T> = {
  /** The watched thing has come to rest: it is emitted once more and the stream ends. */
  until(snapshot: T): boolean;
  signal?: AbortSignal;
  /** Least time between two snapshots; changes within it are seen together. Default 100. */
  intervalMs?: number;
  /** Looks again after this long even without a notification. Default 3000. */
  pollMs?: number;
};

/**
 * Change notifications through Postgres, so that every server process hears of every change. They only wake: a watcher loads
 * the whole state again, hence a lost or doubled notification changes nothing but the delay.
 */
@Injectable()
export class Changes implements OnApplicationShutdown, OnModuleDestroy {
  private readonly logger = new Logger('Changes');
  private readonly topics = new EventEmitter().setMaxListeners(0);
  private readonly closing = new AbortController();
  private connection: Promise<pg.Client | undefined> | undefined;

  constructor(@Inject(DATABASE_URL) private readonly url: string) {}

  /** Tells all watchers of `topic`, when the executor's transaction commits. A topic is like `run:<id>`. */
  async notify(executor: SqlExecutor, topic: string): Promise<void> {
    await notifyChange(executor, topic);
  }

  /** Calls back on every change of the topic until the returned function is called. */
  subscribe(topic: string, wake: () => void): () => void {
    void this.connect();
    this.topics.on(topic, wake);
    return () => this.topics.off(topic, wake);
  }

  /** The state now, then again whenever it has changed, until it rests or the signal fires. */
  async *watch<T>(topic: string, load: () => Promise<T>, options: WatchOptions<T>): AsyncGenerator<T, void, undefined> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.closing.signal]) : this.closing.signal;
    const bell = new Bell();
    const unsubscribe = this.subscribe(topic, bell.ring);
    try {
      await this.connect();
      let last: string | undefined;
      while (!signal.aborted) {
        const snapshot = await load();
        const fingerprint = JSON.stringify(snapshot, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
        if (fingerprint !== last) yield snapshot;
        if (options.until(snapshot)) return;
        last = fingerprint;
        await pause(options.intervalMs ?? 100, signal);
        await bell.wait(options.pollMs ?? 3_000, signal);
      }
    } finally {
      unsubscribe();
    }
  }

  onModuleDestroy(): void {
    this.closing.abort();
  }

  async onApplicationShutdown(): Promise<void> {
    const client = await this.connection;
    await client?.end().catch(() => undefined);
  }

  /** One LISTEN connection for the whole process; undefined when there is none now and polling must do. */
  private connect(): Promise<pg.Client | undefined> {
    this.connection ??= this.listen();
    return this.connection;
  }

  private async listen(): Promise<pg.Client | undefined> {
    const client = new pg.Client({ connectionString: this.url, application_name: 'stic-changes', keepAlive: true });
    client.on('notification', ({ payload }) => payload !== undefined && this.topics.emit(payload));
    client.on('error', (error) => this.logger.warn(`change feed lost: ${error.message}`));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      this.logger.warn(`change feed unavailable: ${messageOf(error)}`);
      void client.end().catch(() => undefined);
      this.reconnectLater();
      return undefined;
    }
    // Only from here on: a connection that fails ends as well, and two reconnects for one would double with every failure.
    client.on('end', () => this.reconnectLater());
    return client;
  }

  private reconnectLater(): void {
    if (this.closing.signal.aborted) return;
    void pause(RECONNECT_MS, this.closing.signal).then(() => {
      if (this.closing.signal.aborted) return;
      this.connection = this.listen();
      for (const topic of this.topics.eventNames()) this.topics.emit(topic);
    });
  }
}
