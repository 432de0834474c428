import { Button, Group, Kbd, Modal, Stack, Table, Text } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { useMemo } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { count } from '../../format';
import type { Pair, Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { Facts } from '../../ui/layout';
import { isMisleading, MadeBy } from './made-by';
import { PairImage } from './pair-image';
import classes from './pairs.module.css';
import { wordDiff, type Piece } from './word-diff';

interface PairFocusProps {
  run: Run;
  pair: Pair;
  pairs: Pair[];
  total: number;
}

interface Control {
  keys: string[];
  shown: string;
  does: string;
  run: () => void;
}

/** One pair: the image left, chosen and rejected beside each other with their differing words marked. */
export function PairFocus({ run, pair, pairs, total }: PairFocusProps) {
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const [helping, help] = useDisclosure(false);
  const [marking, mark] = useDisclosure(true);
  const at = pairs.indexOf(pair);
  const query = search.toString();
  const all = `/runs/${run.id}/pairs`;

  const go = (target: Pair | undefined) => {
    if (target) void navigate({ pathname: `${all}/${String(target.index)}`, search: query });
  };
  const back = () => void navigate({ pathname: all, search: query });

  // One table for the keys and for their help.
  const controls: Control[] = [
    {
      keys: ['ArrowRight', 'J'],
      shown: '→ or j',
      does: 'next pair',
      run: () => {
        go(pairs[at + 1]);
      },
    },
    {
      keys: ['ArrowLeft', 'K'],
      shown: '← or k',
      does: 'previous pair',
      run: () => {
        go(pairs[at - 1]);
      },
    },
    { keys: ['D'], shown: 'd', does: 'mark differing words, or not', run: mark.toggle },
    { keys: ['G'], shown: 'g', does: 'back to all pairs', run: back },
    { keys: ['?', 'shift + ?'], shown: '?', does: 'this help', run: help.toggle },
  ];
  useHotkeys(controls.flatMap(({ keys, run: act }) => keys.map((key): [string, () => void] => [key, act])));

  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Group gap="xs">
          <Button
            size="compact-sm"
            variant="default"
            disabled={at <= 0}
            onClick={() => {
              go(pairs[at - 1]);
            }}
          >
            Previous{' '}
            <Kbd ml={6} size="xs">
              k
            </Kbd>
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            disabled={at + 1 >= pairs.length}
            onClick={() => {
              go(pairs[at + 1]);
            }}
          >
            Next{' '}
            <Kbd ml={6} size="xs">
              j
            </Kbd>
          </Button>
          <Text fz="sm" className="number">
            {count(at + 1)} of {count(total)}
          </Text>
        </Group>
        <Group gap="xs">
          <Button size="compact-sm" variant="default" aria-pressed={marking} onClick={mark.toggle}>
            {marking ? 'Hide differences' : 'Show differences'}{' '}
            <Kbd ml={6} size="xs">
              d
            </Kbd>
          </Button>
          <Button size="compact-sm" variant="default" onClick={back}>
            All pairs{' '}
            <Kbd ml={6} size="xs">
              g
            </Kbd>
          </Button>
          <Button size="compact-sm" variant="default" onClick={help.open} aria-label="Keyboard help">
            ?
          </Button>
        </Group>
      </Group>
      <article className={classes.focus} aria-label={`Pair ${String(pair.index)}`}>
        <PairImage key={pair.id} pair={pair} />
        <PairTexts pair={pair} marking={marking} />
      </article>
      <Modal opened={helping} onClose={help.close} title="Keys" centered size="sm">
        <Table>
          <Table.Tbody>
            {[...controls, { shown: 'hold Space', does: 'show the corrupted image' }].map(({ shown, does }) => (
              <Table.Tr key={shown}>
                <Table.Td>
                  <Kbd>{shown}</Kbd>
                </Table.Td>
                <Table.Td>{does}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Modal>
    </Stack>
  );
}

function PairTexts({ pair, marking }: { pair: Pair; marking: boolean }) {
  const [chosen, rejected] = useMemo(() => wordDiff(pair.chosen, pair.rejected), [pair.chosen, pair.rejected]);
  return (
    <Stack gap="sm" miw={0}>
      <div className="panel" style={{ padding: 12 }}>
        <Text fz="xs" c="dimmed">
          Prompt
        </Text>
        <Text>{pair.prompt}</Text>
      </div>
      <div className={classes.sides}>
        <Side title="Chosen" pieces={chosen} mark={marking ? classes.added : undefined} />
        <Side title="Rejected" pieces={rejected} mark={marking ? classes.removed : undefined} />
      </div>
      <div className="panel" style={{ padding: 12 }}>
        <Facts
          facts={[
            ['Rejected text made by', <MadeBy key="made-by" pair={pair} />],
            [isMisleading(pair) ? 'Misleading prompt' : 'Prompt for it', pair.rejectedPrompt],
            ['Image', pair.imageName],
            ['Seed', String(pair.seed)],
            ['Pair', `${pair.id} (index ${String(pair.index)})`],
          ]}
        />
      </div>
    </Stack>
  );
}

function Side({ title, pieces, mark }: { title: string; pieces: Piece[]; mark: string | undefined }) {
  return (
    <section className="panel" style={{ padding: 12 }} aria-label={title}>
      <Text fz="xs" c="dimmed">
        {title}
      </Text>
      <Text style={{ whiteSpace: 'pre-wrap' }}>
        {pieces.map((piece, index) =>
          piece.own && mark ? (
            <mark key={index} className={mark}>
              {piece.text}
            </mark>
          ) : (
            <span key={index}>{piece.text}</span>
          ),
        )}
      </Text>
    </section>
  );
}
