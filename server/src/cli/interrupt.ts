import { LiveArea, print, say } from './terminal.js';

/** Rejects `raised` and aborts `signal` at Ctrl-C or SIGTERM. */
export type Interrupt = { signal: AbortSignal; raised: Promise<never> };

/** At the first signal says `words` where nothing draws over them; a second one ends the process at once. */
export function onInterrupt(words: () => string): Interrupt {
  const controller = new AbortController();
  const raised = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(new Error('interrupted')));
  });
  raised.catch(() => undefined);
  const act = (): void => {
    if (controller.signal.aborted) {
      say('Ended at once. The same command continues; it ends what is still running.');
      process.exit(130);
    }
    LiveArea.freeze();
    print();
    say(`${words()} Ctrl-C again ends at once.`);
    controller.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, act);
  return { signal: controller.signal, raised };
}
