/** A trainer as last seen. */
export type Candidate = {
  readonly address: string;
  readonly healthy: boolean;
  readonly capacity: number;
  readonly activeJobs: readonly string[];
};

/** An attempt that the database holds open on a trainer. */
export type Placed = { readonly id: string; readonly trainer: string };

/** Jobs a trainer could still take: its capacity less what it reports and what has been placed on it and not been reported yet. */
export function freeSlots(trainer: Candidate, open: readonly Placed[]): number {
  if (!trainer.healthy) return 0;
  const busy = new Set([
    ...trainer.activeJobs,
    ...open.filter((attempt) => attempt.trainer === trainer.address).map((attempt) => attempt.id),
  ]);
  return Math.max(0, trainer.capacity - busy.size);
}

/** The trainer of the next attempt: the one that holds the previous attempt's work if it is free, else the one with most room. */
export function chooseTrainer(trainers: readonly Candidate[], open: readonly Placed[], previous: string | undefined): string | undefined {
  const free = trainers
    .map((trainer) => ({ address: trainer.address, slots: freeSlots(trainer, open) }))
    .filter((trainer) => trainer.slots > 0);
  if (free.some((trainer) => trainer.address === previous)) return previous;
  return free.sort((a, b) => b.slots - a.slots || a.address.localeCompare(b.address))[0]?.address;
}
