import { type Keep, KeepReason, type RetentionRules } from '@stic/api/gen/stic/retention/v1/retention.js';

const DAY_MS = 86_400_000;

/** What a checkpoint's fate rests on. */
export type Fact = {
  readonly id: string;
  readonly runId: string;
  readonly runName: string;
  readonly name: string;
  readonly adapterSha256: string;
  readonly bytes: bigint;
  readonly baseModelDigest: string;
  readonly createdAt: Date;
  readonly pinnedAt: Date | null;
  readonly parentId: string | null;
  /** Its run has succeeded. */
  readonly succeeded: boolean;
  /** The schedule that started its run. */
  readonly schedule: { readonly id: string; readonly name: string } | null;
  /** What points at it, in words. */
  readonly aliases: readonly string[];
  /** Names of the runs under way that need it. */
  readonly neededBy: readonly string[];
};

/** A checkpoint's value of a benchmark's primary metric. */
export type Score = {
  readonly checkpointId: string;
  readonly benchmark: string;
  readonly metric: string;
  readonly value: number;
  readonly higherIsBetter: boolean;
};

export type Facts = {
  readonly now: Date;
  /** Those that are there, the newest first. */
  readonly checkpoints: readonly Fact[];
  readonly scores: readonly Score[];
};

export type Fate = { readonly fact: Fact; readonly keeps: readonly Keep[]; readonly frees: bigint };

/** Every checkpoint's fate by the rules: those that go first, otherwise in the order given. Pure. */
export function decide(rules: RetentionRules, facts: Facts): Fate[] {
  const keeps = new Map<string, Keep[]>(facts.checkpoints.map(({ id }) => [id, []]));
  const keep = (id: string, reason: KeepReason, message: string): unknown => keeps.get(id)?.push({ reason, message });
  for (const fact of facts.checkpoints) {
    if (fact.pinnedAt) keep(fact.id, KeepReason.KEEP_REASON_PINNED, `Pinned since ${day(fact.pinnedAt)}.`);
    for (const alias of fact.aliases) keep(fact.id, KeepReason.KEEP_REASON_ALIASED, alias);
    for (const run of fact.neededBy) keep(fact.id, KeepReason.KEEP_REASON_IN_USE, `Run ${run} is under way and needs it.`);
    const days = (facts.now.getTime() - fact.createdAt.getTime()) / DAY_MS;
    if (days < rules.keepDays) {
      keep(fact.id, KeepReason.KEEP_REASON_YOUNG, `${days.toFixed(1)} days old; kept for ${rules.keepDays} days.`);
    }
  }
  for (const [id, message] of lastOfSchedules(facts.checkpoints, rules.keepLastPerSchedule)) {
    keep(id, KeepReason.KEEP_REASON_LAST_OF_SCHEDULE, message);
  }
  for (const [id, message] of bestOfBenchmarks(facts, rules.keepBestPerBenchmark)) keep(id, KeepReason.KEEP_REASON_BEST, message);
  for (const [id, message] of ancestors(facts.checkpoints, keeps)) keep(id, KeepReason.KEEP_REASON_LINEAGE, message);
  return inOrder(facts.checkpoints, keeps);
}

const day = (time: Date): string => time.toISOString().slice(0, 10);

/** Checkpoints of the latest runs of each schedule that have succeeded. */
function* lastOfSchedules(checkpoints: readonly Fact[], most: number): Generator<[string, string]> {
  const runs = new Map<string, string[]>();
  for (const { id, runId, schedule, succeeded } of checkpoints) {
    if (!schedule || !succeeded) continue;
    const latest = runs.get(schedule.id) ?? [];
    if (!latest.includes(runId)) latest.push(runId);
    runs.set(schedule.id, latest);
    const place = latest.indexOf(runId) + 1;
    if (place <= most) yield [id, `Of run ${place} of the last ${most} of schedule ${schedule.name}.`];
  }
}

/** The best of each benchmark among the adapters of one base model; of equal ones the newer. */
function* bestOfBenchmarks({ checkpoints, scores }: Facts, most: number): Generator<[string, string]> {
  const places = new Map(checkpoints.map((fact, place) => [fact.id, place]));
  const contests = new Map<string, Score[]>();
  for (const score of scores) {
    const place = places.get(score.checkpointId);
    if (place === undefined) continue;
    const contest = [checkpoints[place]?.baseModelDigest, score.benchmark, score.metric].join('\0');
    contests.set(contest, [...(contests.get(contest) ?? []), score]);
  }
  const age = (score: Score): number => places.get(score.checkpointId) ?? 0;
  for (const contest of contests.values()) {
    contest.sort((a, b) => (a.higherIsBetter ? b.value - a.value : a.value - b.value) || age(a) - age(b));
    const ranked = contest.filter((score, place) => contest.findIndex((other) => other.checkpointId === score.checkpointId) === place);
    for (const [place, { checkpointId, benchmark, metric, value }] of ranked.slice(0, most).entries()) {
      yield [checkpointId, `Number ${place + 1} on ${benchmark}: ${metric} ${value.toFixed(1)}.`];
    }
  }
}

/** All that a kept checkpoint was made from, with the one that needs it. */
function* ancestors(checkpoints: readonly Fact[], keeps: ReadonlyMap<string, readonly Keep[]>): Generator<[string, string]> {
  const byId = new Map(checkpoints.map((fact) => [fact.id, fact]));
  const named = new Set<string>();
  for (const kept of checkpoints.filter(({ id }) => keeps.get(id)?.length !== 0)) {
    let child = kept;
    for (let parent = byId.get(child.parentId ?? ''); parent && !named.has(parent.id); parent = byId.get(child.parentId ?? '')) {
      named.add(parent.id);
      yield [parent.id, `${child.name} of ${child.runName}, which stays, was made from it.`];
      child = parent;
    }
  }
}

/** The fates with what each frees: files that several share count once, and not at all when one of these stays. */
function inOrder(checkpoints: readonly Fact[], keeps: ReadonlyMap<string, readonly Keep[]>): Fate[] {
  const staying = checkpoints.filter(({ id }) => keeps.get(id)?.length !== 0);
  const spoken = new Set(staying.map(({ adapterSha256 }) => adapterSha256));
  const going = checkpoints
    .filter((fact) => !staying.includes(fact))
    .map((fact) => {
      const frees = spoken.has(fact.adapterSha256) ? 0n : fact.bytes;
      spoken.add(fact.adapterSha256);
      return { fact, keeps: [], frees };
    });
  return [...going, ...staying.map((fact) => ({ fact, keeps: keeps.get(fact.id) ?? [], frees: 0n }))];
}
