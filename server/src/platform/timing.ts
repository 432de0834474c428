/** Whole milliseconds since some fixed moment: for durations, which a change of the host's clock must not lengthen or cut short. */
export const monotonicMs = (): number => Math.round(performance.now());

/** Resolves to true after `ms`, or to false at once when the signal is (or becomes) aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve(false);
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve(signal?.aborted !== true);
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** A latch: `wait` returns when `ring` was called since the last `wait`, or after the time is up. */
export class Bell {
  private rung = false;
  private wake: () => void = () => undefined;

  readonly ring = (): void => {
    this.rung = true;
    this.wake();
  };

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.rung) {
      const early = new AbortController();
      this.wake = () => early.abort();
      await pause(ms, signal ? AbortSignal.any([signal, early.signal]) : early.signal);
    }
    this.rung = false;
  }
}
