import { Text, UnstyledButton } from '@mantine/core';
import { useMemo } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Lineage, LineageNode } from '@stic/api/gen/stic/checkpoints/v1/checkpoints.js';
import { Digest } from '../ui/digest';
import { Facts } from '../ui/layout';
import { plainWords } from '../words';
import { box, layOut, line } from './lineage-layout';
import classes from './lineage.module.css';

/** From images, prompts, recipe and base model through every stage to the checkpoint. */
export function LineageGraph({ lineage }: { lineage: Lineage }) {
  const [search, setSearch] = useSearchParams();
  const layout = useMemo(() => layOut(lineage), [lineage]);
  const chosen = layout.placed.get(search.get('node') ?? '')?.node;
  return (
    <>
      <div className={classes.scroll}>
        <div style={{ position: 'relative', margin: '0 auto', width: layout.width, height: layout.height }}>
          <svg width={layout.width} height={layout.height} aria-hidden className={classes.lines}>
            {lineage.edges.map(({ from, to }) => {
              const [start, end] = [layout.placed.get(from), layout.placed.get(to)];
              if (!start || !end) return null;
              const lit = chosen && (chosen.id === from || chosen.id === to);
              return <path key={`${from}>${to}`} d={line(start, end)} className={lit ? classes.litLine : classes.line} />;
            })}
          </svg>
          {[...layout.placed.values()].map(({ node, x, y }) => (
            <UnstyledButton
              key={node.id}
              className={classes.node}
              data-type={node.type}
              aria-pressed={chosen?.id === node.id}
              aria-label={`${node.type} ${node.label}`}
              style={{ left: x, top: y, width: box.width, height: box.height }}
              onClick={() => {
                setSearch({ node: node.id }, { replace: true });
              }}
            >
              <Text fz={11} c="dimmed">
                {node.type}
              </Text>
              <Text fz="sm" fw={600} truncate>
                {node.label}
              </Text>
              {node.digest && (
                <Text fz={11} c="dimmed" className="mono">
                  {node.digest.slice(0, 12)}
                </Text>
              )}
            </UnstyledButton>
          ))}
        </div>
      </div>
      {chosen && <NodeFacts node={chosen} />}
    </>
  );
}

function NodeFacts({ node }: { node: LineageNode }) {
  const datasetId = node.facts.dataset_id;
  return (
    <div className={classes.facts} role="region" aria-label={`Facts of ${node.label}`}>
      <Facts
        facts={[
          [node.type, node.label],
          ['digest', node.digest ? <Digest key="digest" value={node.digest} length={20} /> : ''],
          ...Object.entries(node.facts).map(([name, value]): [string, string] => [plainWords(name), value]),
          [
            'open',
            datasetId ? (
              <Link key="open" to={`/datasets/${datasetId}`}>
                the dataset
              </Link>
            ) : (
              ''
            ),
          ],
        ]}
      />
    </div>
  );
}
