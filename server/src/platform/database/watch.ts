import { EventEmitter } from 'node:events';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import pg from 'pg';
import { DATABASE_URL } from './database.js';
import { DomainError, messageOf } from '../errors.js';
import { pause } from '../timing.js';
import { SharedWatch } from './shared-watch.js';

const CHANNEL = 'stic_changes';
const RECONNECT_MS = 1_000;
/** Streams one server carries at a time. */
export const mostWatchers = 2_000;

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

const tooManyWatchers = (): DomainError =>
  new DomainError('RESOURCE_EXHAUSTED', `This server carries ${mostWatchers} streams already.`, {
    hint: 'Close streams that are not read any more, or try again later.',
  });

const stopping = (): DomainError =>
  new DomainError('UNAVAILABLE', 'The server is stopping; what is watched goes on.', { hint: 'Open the stream again.' });

/**
 * Change notifications through Postgres, so that every server process hears of every change. They only wake: the loader
 * of a topic reads the whole state again, hence a lost or doubled notification changes nothing but the delay.
 */
@Injectable()
export class Changes implements OnApplicationShutdown, OnModuleDestroy {
  private readonly logger = new Logger('Changes');
  private readonly topics = new EventEmitter().setMaxListeners(0);
  private readonly closing = new AbortController();
  private readonly loaders = new Map<string, SharedWatch<object>>();
  private watchers = 0;
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

  /**
   * The state now, then again whenever it has changed, until it rests or the signal fires. All watchers of a topic share one loader and
   * get the same objects: what is loaded depends on the topic alone. A server that stops ends the stream with UNAVAILABLE.
   */
  async *watch<T extends object>(topic: string, load: () => Promise<T>, options: WatchOptions<T>): AsyncGenerator<T, void, undefined> {
    if (this.watchers >= mostWatchers) throw tooManyWatchers();
    this.watchers += 1;
    const signal = options.signal ? AbortSignal.any([options.signal, this.closing.signal]) : this.closing.signal;
    try {
      await this.connect();
      for await (const snapshot of this.shared(topic, load, options).snapshots(signal)) {
        yield snapshot;
        if (options.until(snapshot)) return;
      }
    } finally {
      this.watchers -= 1;
    }
    if (this.closing.signal.aborted) throw stopping();
  }

  private shared<T extends object>(topic: string, load: () => Promise<T>, options: WatchOptions<T>): SharedWatch<T> {
    const known = this.loaders.get(topic);
    // One topic has one type of snapshot.
    if (known) return known as unknown as SharedWatch<T>;
    const { intervalMs = 100, pollMs = 3_000 } = options;
    const loader: SharedWatch<T> = new SharedWatch(load, { intervalMs, pollMs }, () => {
      unsubscribe();
      if (this.loaders.get(topic) === (loader as object)) this.loaders.delete(topic);
    });
    const unsubscribe = this.subscribe(topic, loader.ring);
    this.loaders.set(topic, loader);
    return loader;
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
