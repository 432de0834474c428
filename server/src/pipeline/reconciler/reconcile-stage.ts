import { RunEntity, AttemptEntity, StageEntity } from '../../model/index.js';
import { DatabaseClock } from '../../platform/clock.js';
import { Bell, pause } from '../../platform/timing.js';
import { nextAction, stopAsked } from './decide.js';
import type { StageView } from './decide.js';
import { abandon, follow } from './attempt-watch.js';
import type { Tools } from './attempt-watch.js';
import { fenced, LeaseLost, release, renew, renewMs } from './lease.js';
import type { Lease } from './lease.js';
import { link } from './stage-cache.js';
import { stopRun } from './run-transitions.js';
import { start } from './attempt-start.js';
import { pipelineTopic, runTopic } from '../../model/topics.js';

/** Between two looks at an attempt whose trainer does not answer. */
const retryMs = 1_000;

/**
 * Moves one leased stage as far as it goes: looks at the database, takes the one next action, looks again. Ends when the stage has
 * ended, nothing can be done now, the lease is lost or the signal fires. Gives the lease back in every case.
 */
export async function drive(tools: Tools, lease: Lease, signal: AbortSignal): Promise<void> {
  const heart = new Heart(tools, lease);
  const until = AbortSignal.any([signal, heart.lost.signal]);
  try {
    while (!until.aborted && (await step(tools, lease, heart, until))) continue;
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
  } finally {
    heart.stop();
    await release(tools.db, lease, signal);
  }
}

/** One look and one action. False when there is nothing more to do for now. */
async function step(tools: Tools, lease: Lease, heart: Heart, signal: AbortSignal): Promise<boolean> {
  const { stage, now } = await look(tools, lease);
  const action = nextAction(stage, now);
  switch (action.do) {
    case 'nothing':
      return false;
    case 'start':
      return (await link(tools, lease, action.number)) || start(tools, lease, action.number, action.previous);
    case 'abandon':
      await abandon(tools, lease, action.attempt);
      return true;
    case 'stop':
      await fenced(tools.db, lease, async (manager) => {
        await stopRun(manager, lease.runId, action.how);
        await tools.changes.notify(manager, runTopic(lease.runId));
      });
      return false;
    case 'follow': {
      if (action.attempt.unreachableSince !== null) await pause(retryMs, signal);
      const stopping = stage.stop !== undefined;
      const interrupted = stopping ? signal : AbortSignal.any([signal, heart.stopping.signal]);
      await follow(tools, lease, action.attempt, stopping, interrupted);
      return true;
    }
  }
}

/** The stage, and the time by the database's clock: the one that its moments were taken from. */
async function look({ db }: Tools, lease: Lease): Promise<{ stage: StageView; now: Date }> {
  const stage = await db.manager.findOneByOrFail(StageEntity, { id: lease.stageId });
  if (stage.epoch !== lease.epoch || stage.leaseOwner !== lease.owner) throw new LeaseLost(lease);
  const run = await db.manager.findOneByOrFail(RunEntity, { id: lease.runId });
  const attempts = await db.manager.find(AttemptEntity, { where: { stageId: lease.stageId }, order: { number: 'ASC' } });
  const now = await new DatabaseClock(db).now();
  const stageView = {
    state: stage.state,
    stop: stopAsked(run),
    notBefore: stage.notBefore,
    attempts: attempts.map(({ id, trainer, state, lastSeq, unreachableSince, endedAt }) => ({
      id,
      trainer,
      state,
      lastSeq: BigInt(lastSeq),
      unreachableSince,
      endedAt,
    })),
  };
  return { stage: stageView, now };
}

/** Renews the lease while its stage is being moved, and hears of a stop on the way. */
class Heart {
  /** Fires when the lease is another's. */
  readonly lost = new AbortController();
  /** Fires when the run is to stop. */
  readonly stopping = new AbortController();
  private readonly stopped = new AbortController();

  constructor(
    private readonly tools: Tools,
    private readonly lease: Lease,
  ) {
    void this.beat();
  }

  stop(): void {
    this.stopped.abort();
  }

  private async beat(): Promise<void> {
    const bell = new Bell();
    const unsubscribe = this.tools.changes.subscribe(pipelineTopic, bell.ring);
    while (!this.stopped.signal.aborted) {
      await this.renew();
      await bell.wait(renewMs, this.stopped.signal);
    }
    unsubscribe();
  }

  private async renew(): Promise<void> {
    try {
      const { stopRequested } = await renew(this.tools.db, this.lease);
      if (stopRequested) this.stopping.abort();
    } catch (error) {
      // Any other fault (Postgres is away) is the next beat's: should the lease run out meanwhile, the fence holds.
      if (error instanceof LeaseLost) this.lost.abort();
    }
  }
}
