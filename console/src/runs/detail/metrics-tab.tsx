import { SimpleGrid, Stack, Switch, Title } from '@mantine/core';
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { useMetrics } from '../../api/runs';
import { Empty, Failure, Lines } from '../../ui/feedback';
import { chartsOf, otherCharts, type ChartPlan } from './charts';
import { useRunContext } from './context';
import { MetricChart } from './metric-chart';
import { seriesByName, type Series } from './series';

export function MetricsTab() {
  const { run, live } = useRunContext();
  const [search, setSearch] = useSearchParams();
  const metrics = useMetrics(run.id, live);
  const series = useMemo(() => seriesByName(metrics.data ?? []), [metrics.data]);
  const showEarlier = search.get('attempts') === 'all';
  const resumed = [...series.values()].some(({ earlier }) => earlier.size > 0);

  if (metrics.isError && !metrics.data) return <Failure error={metrics.error} what="The metrics" onRetry={() => void metrics.refetch()} />;
  if (metrics.isPending) return <Lines />;
  if (series.size === 0) {
    return (
      <Empty title={live ? 'No metrics yet' : 'This run has no metrics'}>
        The stages dpo and sft report loss, reward margin, accuracy and log-probabilities here while they train.
      </Empty>
    );
  }
  return (
    <Stack gap="lg">
      {resumed && (
        <Switch
          label="Show earlier attempts"
          description="Where an attempt was resumed, the last attempt of each step is drawn; earlier ones are dashed."
          checked={showEarlier}
          onChange={(event) => {
            setSearch(event.currentTarget.checked ? { attempts: 'all' } : {}, { replace: true });
          }}
        />
      )}
      <Charts title="dpo" plans={chartsOf('dpo')} series={series} showEarlier={showEarlier} />
      <Charts title="sft" plans={chartsOf('sft')} series={series} showEarlier={showEarlier} />
      <Charts title="other" plans={otherCharts(series.keys())} series={series} showEarlier={showEarlier} />
    </Stack>
  );
}

function Charts({
  title,
  plans,
  series,
  showEarlier,
}: {
  title: string;
  plans: ChartPlan[];
  series: Map<string, Series>;
  showEarlier: boolean;
}) {
  if (!plans.some(({ lines }) => lines.some(({ metric }) => series.has(metric)))) return null;
  return (
    <section aria-label={`Metrics of ${title}`}>
      <Title order={2} fz="lg" mb="xs">
        {title}
      </Title>
      <SimpleGrid cols={{ base: 2, xl: 3 }} spacing="sm">
        {plans.map((plan) => (
          <MetricChart key={plan.title} {...plan} series={series} showEarlier={showEarlier} group={title} />
        ))}
      </SimpleGrid>
    </section>
  );
}
