import { Alert, List, Spoiler, Stack } from '@mantine/core';
import { evaluations, runs } from '../../api/clients';
import { useRpc } from '../../api/hooks';
import { GateSection } from '../../registry/gate-section';
import type { Comparison } from '@stic/api/gen/stic/evaluations/v1/evaluations.js';
import { StageKind } from '@stic/api/gen/stic/recipe/v1/recipe.js';
import { type Run, StageState } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Failure, Lines } from '../../ui/feedback';
import { Section } from '../../ui/layout';
import { stageLook } from '../../states';
import { ComparisonPicture } from './comparison-picture';
import { ComparisonTable } from './comparison-table';
import { useRunContext } from './context';
import { Samples } from './samples';

/** Did it help? The comparison, in words, as a picture and as a table, then the same images before and after. */
export function OverviewTab() {
  const { run, live } = useRunContext();
  const polled = { version: live, refetchInterval: live && (5000 as const) };
  const comparison = useRpc(evaluations.getComparison, { runId: run.id }, polled);
  const samples = useRpc(runs.listSamples, { runId: run.id }, polled);
  return (
    <Stack gap="md">
      <GateSection run={run} live={live} />
      {comparison.isError && <Failure error={comparison.error} what="The comparison" onRetry={() => void comparison.refetch()} />}
      {comparison.isPending && <Lines />}
      {comparison.data && <Compared run={run} comparison={comparison.data} />}
      {samples.isError && <Failure error={samples.error} what="The samples" onRetry={() => void samples.refetch()} />}
      {samples.data && <Samples run={run} samples={samples.data.samples} />}
    </Stack>
  );
}

function Compared({ run, comparison }: { run: Run; comparison: Comparison }) {
  if (comparison.scores.length === 0) return <NotCompared run={run} />;
  return (
    <>
      <Section title="Did it help?" note="Difference to the base model answering plainly, with 95 % paired-bootstrap intervals.">
        <Findings findings={comparison.findings} />
        <ComparisonPicture scores={comparison.scores} />
      </Section>
      <Section
        title="Comparison"
        note="Scores from 0 to 100; below each, the difference to base plain and its interval. DaR: describe first, then answer."
      >
        <ComparisonTable scores={comparison.scores} />
      </Section>
    </>
  );
}

/** The server puts the most telling ones first; the rest is one click away, the picture in sight. */
function Findings({ findings }: { findings: string[] }) {
  if (findings.length === 0) return null;
  return (
    <Spoiler maxHeight={84} showLabel={`Show all ${String(findings.length)} findings`} hideLabel="Show fewer" mb="md" fz="sm">
      <List fz="sm" aria-label="Findings">
        {findings.map((finding) => (
          <List.Item key={finding}>{finding}</List.Item>
        ))}
      </List>
    </Spoiler>
  );
}

function NotCompared({ run }: { run: Run }) {
  const evaluate = run.stages.find((stage) => stage.kind === StageKind.STAGE_KIND_EVALUATE);
  const benchmarks = run.inputs.filter((input) => input.role === 'benchmark');
  if (benchmarks.length === 0) {
    return (
      <Alert variant="default" title="No comparison in numbers">
        This run has no benchmark, so there is no ground truth to compare with. Look at the pairs, the losses and margins, and the sample
        descriptions before and after.
      </Alert>
    );
  }
  const over =
    evaluate && [StageState.STAGE_STATE_SKIPPED, StageState.STAGE_STATE_CANCELLED, StageState.STAGE_STATE_FAILED].includes(evaluate.state);
  return (
    <Alert variant="default" title={over ? 'There is no comparison' : 'The comparison will appear here'}>
      {over
        ? `The evaluate stage: ${stageLook(evaluate.state).word.toLowerCase()}. Only a run whose evaluate stage succeeds can be compared.`
        : 'The evaluate stage makes it, last: base, stage 1 and stage 2 on every benchmark, plain and describe-and-respond (DaR).'}
    </Alert>
  );
}
