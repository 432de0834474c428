import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { CancelRunRequest, PauseRunRequest, ResumeRunRequest, RetryRunRequest, Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { audit } from '../audit/index.js';
import { RunEntity } from '../model/index.js';
import { pipelineTopic, runTopic } from '../model/topics.js';
import { hasOpenAttempt, resumeRun, retryRun, type Stop, stopRun } from '../pipeline/index.js';
import { DomainError } from '../platform/errors.js';
import { checkId } from '../platform/pages.js';
import { Changes } from '../platform/database/watch.js';
import { isTerminal } from '../model/states.js';
import { noRun, RunReader } from './run.reader.js';

/** What can be asked of a run once it exists. Each asks for a state; asking again changes nothing. */
@Injectable()
export class RunActions {
  constructor(
    private readonly db: DataSource,
    private readonly changes: Changes,
    private readonly reader: RunReader,
  ) {}

  cancel({ runId }: CancelRunRequest): Promise<Run> {
    return this.change(runId, async (manager, run) => {
      if (isTerminal(run.state)) return;
      if (run.cancelRequestedAt === null) {
        await manager.update(RunEntity, run.id, { cancelRequestedAt: new Date(), state: RunState.RUN_STATE_CANCELLING });
        await writeDown(manager, run, 'cancel');
      }
      await stopIfIdle(manager, run.id, 'cancel');
    });
  }

  pause({ runId }: PauseRunRequest): Promise<Run> {
    return this.change(runId, async (manager, run) => {
      if (isPaused(run)) return;
      if (isTerminal(run.state)) throw refused(run, 'there is nothing to pause', 'Fork it, or retry it when it did not succeed.');
      if (run.cancelRequestedAt !== null) throw refused(run, 'it cannot be paused', 'Wait until it has stopped, then retry it.');
      await manager.update(RunEntity, run.id, { pauseRequestedAt: new Date(), state: RunState.RUN_STATE_PAUSING });
      await writeDown(manager, run, 'pause');
      await stopIfIdle(manager, run.id, 'pause');
    });
  }

  resume({ runId }: ResumeRunRequest): Promise<Run> {
    return this.change(runId, async (manager, run) => {
      if (isGoing(run)) return;
      if (run.state === RunState.RUN_STATE_PAUSED) {
        await writeDown(manager, run, 'resume');
        return resumeRun(manager, run.id);
      }
      if (run.state === RunState.RUN_STATE_PAUSING) {
        throw refused(run, 'its stage is still saving its work', 'Ask again once the run is PAUSED.');
      }
      throw refused(run, 'only a paused run can be resumed', 'Retry a run that failed or was cancelled; fork one that succeeded.');
    });
  }

  retry({ runId, fromStage }: RetryRunRequest): Promise<Run> {
    return this.change(runId, async (manager, run) => {
      if (isGoing(run)) return;
      if (run.state === RunState.RUN_STATE_FAILED || run.state === RunState.RUN_STATE_CANCELLED) {
        await writeDown(manager, run, 'retry');
        return retryRun(manager, run.id, fromStage);
      }
      if (isPaused(run)) throw refused(run, 'there is nothing to retry', 'Resume it.');
      if (run.state === RunState.RUN_STATE_SUCCEEDED) throw refused(run, 'there is nothing to retry', 'Fork it to run the recipe again.');
      throw refused(run, 'its stage is still stopping', 'Ask again once the run is CANCELLED.');
    });
  }

  /** Does the work under the run's row lock and answers with the run as it is then. */
  private async change(runId: string, work: (manager: EntityManager, run: RunEntity) => Promise<void>): Promise<Run> {
    checkId('run_id', runId);
    await this.db.transaction(async (manager) => {
      const run = await manager.findOne(RunEntity, { where: { id: runId }, lock: { mode: 'pessimistic_write' } });
      if (!run) throw noRun(runId);
      await work(manager, run);
      await this.changes.notify(manager, pipelineTopic);
      await this.changes.notify(manager, runTopic(runId));
    });
    return this.reader.get(runId);
  }
}

const writeDown = (manager: EntityManager, { id, name }: RunEntity, verb: string): Promise<void> =>
  audit(manager, { verb, subject: { type: 'run', id, name } });

/** Nothing is on a trainer: over at once. Otherwise whoever holds the stage stops it. */
async function stopIfIdle(manager: EntityManager, runId: string, how: Stop): Promise<void> {
  if (!(await hasOpenAttempt(manager, runId))) await stopRun(manager, runId, how);
}

const isGoing = ({ state }: RunEntity): boolean => state === RunState.RUN_STATE_QUEUED || state === RunState.RUN_STATE_RUNNING;
const isPaused = ({ state }: RunEntity): boolean => state === RunState.RUN_STATE_PAUSING || state === RunState.RUN_STATE_PAUSED;

function refused(run: RunEntity, reason: string, hint: string): DomainError {
  const state = run.state.replace('RUN_STATE_', '');
  return new DomainError('FAILED_PRECONDITION', `The run is ${state}: ${reason}.`, { field: 'run_id', hint });
}
