/** Resolves after `ms`, or at once when the signal is (or becomes) aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) { resolve(); return; }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
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
