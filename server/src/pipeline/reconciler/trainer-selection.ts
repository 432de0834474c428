import type { Requirements } from '@stic/api/gen/stic/runs/v1/runs.js';

/** A trainer as last seen. */
export type Candidate = {
  readonly address: string;
  readonly healthy: boolean;
  readonly capacity: number;
  readonly activeJobs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly gpuMemoryGib: number;
};

/** An attempt that the database holds open on a trainer. */
export type Placed = { readonly id: string; readonly trainer: string };

/** A stage that waits for a trainer; null requires nothing. */
export type Waiting = { readonly id: string; readonly requires: Requirements | null };

/** Jobs a trainer could still take: its capacity less what it reports and what has been placed on it and not been reported yet. */
export function freeSlots(trainer: Candidate, open: readonly Placed[]): number {
  if (!trainer.healthy) return 0;
  const busy = new Set([
    ...trainer.activeJobs,
    ...open.filter((attempt) => attempt.trainer === trainer.address).map((attempt) => attempt.id),
  ]);
  return Math.max(0, trainer.capacity - busy.size);
}

/** Whether the trainer has every required label with its value, and the memory. */
export function fits(trainer: Candidate, requires: Requirements | null): boolean {
  return demands(requires).every((demand) => demand.holds(trainer));
}

/** The trainer of the next attempt: the one that holds the previous attempt's work if it is free, else the one with most room. */
export function chooseTrainer(
  trainers: readonly Candidate[],
  open: readonly Placed[],
  requires: Requirements | null,
  previous: string | undefined,
): string | undefined {
  const free = trainers
    .filter((trainer) => fits(trainer, requires))
    .map((trainer) => ({ address: trainer.address, slots: freeSlots(trainer, open) }))
    .filter((trainer) => trainer.slots > 0);
  if (free.some((trainer) => trainer.address === previous)) return previous;
  return free.sort((a, b) => b.slots - a.slots || a.address.localeCompare(b.address))[0]?.address;
}

/** Where the waiting stages that trainers could take now would go, in their order: one that must wait keeps none behind it from going. */
export function placeable(waiting: readonly Waiting[], trainers: readonly Candidate[], open: readonly Placed[]): Placed[] {
  let room = trainers.reduce((sum, trainer) => sum + freeSlots(trainer, open), 0);
  const chosen: Placed[] = [];
  for (const { id, requires } of waiting) {
    if (room === 0) break;
    const trainer = chooseTrainer(trainers, [...open, ...chosen], requires, undefined);
    if (trainer === undefined) continue;
    chosen.push({ id, trainer });
    room -= 1;
  }
  return chosen;
}

/** Why no trainer takes a stage now, in words; empty when one could. */
export function whyWaiting(requires: Requirements | null, trainers: readonly Candidate[], open: readonly Placed[]): string {
  const healthy = trainers.filter((trainer) => trainer.healthy);
  if (healthy.length === 0) return 'no trainer can be reached';
  const unmet = demands(requires).find((demand) => !healthy.some(demand.holds));
  if (unmet) return `no trainer has ${unmet.words}`;
  const fitting = healthy.filter((trainer) => fits(trainer, requires));
  if (fitting.length === 0) {
    return `no trainer has all of: ${demands(requires)
      .map((demand) => demand.words)
      .join(', ')}`;
  }
  if (fitting.some((trainer) => freeSlots(trainer, open) > 0)) return '';
  return fitting.length < healthy.length ? 'every trainer that fits is busy' : 'every trainer is busy';
}

type Demand = { readonly words: string; readonly holds: (trainer: Candidate) => boolean };

function demands(requires: Requirements | null): Demand[] {
  if (requires === null) return [];
  const labels = Object.entries(requires.labels).map(([key, value]): Demand => ({
    words: `label ${key}=${value}`,
    holds: (trainer) => trainer.labels[key] === value,
  }));
  const least = requires.gpuMemoryGib;
  if (least <= 0) return labels;
  return [...labels, { words: `${least} GiB of GPU memory`, holds: (trainer) => trainer.gpuMemoryGib >= least }];
}
