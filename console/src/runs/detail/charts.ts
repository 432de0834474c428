import type { ChartLine } from './metric-chart';

export interface ChartPlan {
  title: string;
  meaning: string;
  lines: ChartLine[];
  zeroLine?: boolean;
}

const one = (metric: string, label: string, series = 1): ChartLine[] => [{ metric, label, color: `var(--series-${String(series)})` }];

/** The charts of stage dpo, most telling first. */
export const dpoCharts: ChartPlan[] = [
  {
    title: 'Loss',
    meaning: 'Regularised DPO loss; starts at ln 2 plus the chosen-text term.',
    lines: one('dpo/loss', 'loss'),
  },
  {
    title: 'Reward margin',
    meaning: 'Beta times the log-ratio difference of chosen and rejected; above 0 the chosen text is preferred.',
    lines: one('dpo/margin', 'margin', 3),
    zeroLine: true,
  },
  {
    title: 'Accuracy',
    meaning: 'Share of pairs with a margin above 0; 0.5 is chance.',
    lines: one('dpo/accuracy', 'accuracy', 4),
  },
  {
    title: 'Log-probabilities',
    meaning: 'Of the chosen and the rejected text, summed over tokens. Chosen should not fall.',
    lines: [...one('dpo/chosen_logp', 'chosen', 1), ...one('dpo/rejected_logp', 'rejected', 2)],
  },
  {
    title: 'Learning rate',
    meaning: 'Linear warm-up, cosine decay to zero.',
    lines: one('dpo/learning_rate', 'learning rate'),
  },
  { title: 'Gradient norm', meaning: 'Before clipping.', lines: one('dpo/grad_norm', 'gradient norm', 2) },
];

/** The charts of stage sft. */
export const sftCharts: ChartPlan[] = [
  { title: 'Loss', meaning: 'Mean cross-entropy of the answers, in nats per token.', lines: one('sft/loss', 'loss') },
  {
    title: 'Learning rate',
    meaning: 'Linear warm-up, cosine decay to zero.',
    lines: one('sft/learning_rate', 'learning rate'),
  },
  { title: 'Gradient norm', meaning: 'Before clipping.', lines: one('sft/grad_norm', 'gradient norm', 2) },
];

const planned = new Set([...dpoCharts, ...sftCharts].flatMap(({ lines }) => lines.map(({ metric }) => metric)));

/** A plain chart for every metric this page does not know by name. */
export function otherCharts(names: Iterable<string>): ChartPlan[] {
  return [...names].filter((name) => !planned.has(name)).map((name) => ({ title: name, meaning: '', lines: one(name, name) }));
}
