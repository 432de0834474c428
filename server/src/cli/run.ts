import { type CreateRunRequest, type Run, type RunInput, RunState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Recipe } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { CliError } from './cli-error.js';
import { type Clients, newRequestId, requestIdFor } from './clients.js';
import { preflightLines } from './preflight.js';
import { RunProgress } from './progress.js';
import { bold, dim, print, say, width } from './terminal.js';
import { padEnd, shown, wrap } from './text.js';

const NAME_COLUMNS = 40;

/** The same recipe on the same data is one run: a repeated demo shows it again unless it did not succeed. */
export async function startRun(clients: Clients, recipe: Recipe, inputs: RunInput[], name: string): Promise<Run> {
  const data = inputs.map(({ role, versionId }) => `${role} ${versionId}`).join();
  const request: CreateRunRequest = {
    requestId: requestIdFor('demo run', name, JSON.stringify(Recipe.toJSON(recipe)), data),
    name: name.slice(-200),
    recipe,
    inputs,
    validateOnly: false,
    priority: 0,
    requires: undefined,
    forkedFrom: '',
    changes: {},
  };
  const { preflight } = await clients.runs.createRun({ ...request, requestId: '', validateOnly: true });
  if (preflight) for (const line of preflightLines(preflight)) say(line);
  const [obstacle] = preflight?.obstacles ?? [];
  if (obstacle) throw new CliError(obstacle.message, obstacle.hint);
  const create = (): Promise<Run> => clients.runs.createRun(request);
  const run = await create();
  if (run.state !== RunState.RUN_STATE_FAILED && run.state !== RunState.RUN_STATE_CANCELLED) return run;
  request.requestId = newRequestId();
  return create();
}

/** Shows the run until it has ended; `onStart` hears of it before. */
export async function follow(clients: Clients, http: string, run: Run): Promise<Run> {
  if (run.endedAt !== undefined) {
    print();
    say(dim('This recipe ran on this data before; here is that run. --seed N makes another one.'));
  }
  print(`\n  ${bold(shown(run.name, width() - 2))}\n  ${dim(`${http}/runs/${run.id}`)}`);
  for (const difference of run.differences) print(dim(differenceLine(difference, width())));
  print();
  const progress = new RunProgress();
  let latest = run;
  try {
    for await (const next of clients.runs.watchRun({ runId: run.id })) {
      latest = next;
      progress.show(latest);
    }
  } finally {
    progress.end();
  }
  return latest;
}

/** A field in which the recipe differs from the paper's, on one line or, where that is too narrow, on two. */
export function differenceLine({ field, paper, run }: Run['differences'][number], columns: number): string {
  const values = `paper ${shown(paper, NAME_COLUMNS)}, here ${shown(run, NAME_COLUMNS)}`;
  const line = `    ${padEnd(shown(field), NAME_COLUMNS)} ${values}`;
  return line.length <= columns ? line : `    ${shown(field)}\n${wrap(values, columns, '      ')}`;
}
