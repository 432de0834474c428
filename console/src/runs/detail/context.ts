import { useOutletContext } from 'react-router';
import type { Run } from '@stic/api/gen/stic/runs/v1/runs.js';

/** What every tab of a run gets from the page. */
export interface RunContext {
  run: Run;
  /** The run can still change. */
  live: boolean;
}

export const useRunContext = (): RunContext => useOutletContext<RunContext>();
