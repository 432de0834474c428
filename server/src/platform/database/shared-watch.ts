import { Bell, monotonicMs, pause } from '../timing.js';

export type LoopOptions = {
  /** Least time between the starts of two loads; changes within it are seen together. */
  readonly intervalMs: number;
  /** Loads again after this long even without a notification. */
  readonly pollMs: number;
};

type Loaded<T> = { readonly snapshot: T; readonly version: number };

/**
 * The one loader of a watched topic. It loads once per change, compares once and hands the same object to every watcher; a watcher that
 * is slower than the changes misses the ones in between, never the latest. It runs while it has watchers.
 */
export class SharedWatch<T extends object> {
  private readonly bell = new Bell();
  private readonly stopped = new AbortController();
  private readonly readers = new Set<() => void>();
  private latest: Loaded<T> | undefined;
  private fingerprint = '';
  private loadsBegun = 0;
  private loadsDone = 0;
  private failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly load: () => Promise<T>,
    private readonly options: LoopOptions,
    private readonly onIdle: () => void,
  ) {}

  /** A change may have happened. */
  readonly ring = (): void => this.bell.ring();

  /** Every snapshot from one loaded after this call on, until the signal fires; throws what a load throws. */
  async *snapshots(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const bell = new Bell();
    this.readers.add(bell.ring);
    // What was loaded before may be older than what the watcher knows already.
    const first = this.loadsBegun + 1;
    if (first === 1) void this.run();
    else this.ring();
    let seen = -1;
    try {
      while (!signal.aborted) {
        if (this.failure) throw this.failure.error;
        const { latest } = this;
        if (latest && latest.version !== seen && this.loadsDone >= first) {
          seen = latest.version;
          yield latest.snapshot;
        } else {
          await bell.wait(this.options.pollMs, signal);
        }
      }
    } finally {
      this.readers.delete(bell.ring);
      if (this.readers.size === 0) this.stop();
    }
  }

  private stop(): void {
    this.stopped.abort();
    this.onIdle();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    try {
      while (!signal.aborted) {
        const begun = monotonicMs();
        this.loadsBegun += 1;
        await this.loadOnce();
        await pause(this.options.intervalMs - (monotonicMs() - begun), signal);
        await this.bell.wait(this.options.pollMs, signal);
      }
    } catch (error) {
      this.failure = { error };
      this.onIdle();
    }
    this.wake();
  }

  private async loadOnce(): Promise<void> {
    const snapshot = await this.load();
    const fingerprint = JSON.stringify(snapshot, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
    if (fingerprint !== this.fingerprint) this.latest = { snapshot, version: this.loadsBegun };
    this.fingerprint = fingerprint;
    this.loadsDone = this.loadsBegun;
    this.wake();
  }

  private wake(): void {
    for (const ring of this.readers) ring();
  }
}
