import { Image, Text } from '@mantine/core';
import { Link, useLocation } from 'react-router';
import { imageUrl } from '../../api/blobs';
import type { Pair, Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { MadeBy } from './made-by';
import classes from './pairs.module.css';

export function PairGrid({ run, pairs }: { run: Run; pairs: Pair[] }) {
  const { search } = useLocation();
  return (
    <ul className={classes.grid} aria-label="Preference pairs">
      {pairs.map((pair) => (
        <li key={pair.id}>
          <Link
            to={{ pathname: `/runs/${run.id}/pairs/${String(pair.index)}`, search }}
            className={classes.card}
            aria-label={`Pair ${String(pair.index)}: ${pair.imageName}`}
          >
            <Image src={imageUrl(pair.imageSha256)} alt="" fit="contain" className={classes.thumbnail} loading="lazy" />
            <div className={classes.cardText}>
              <Text fz="xs" c="dimmed" truncate>
                {pair.index} · {pair.imageName}
              </Text>
              <Text fz="xs" lineClamp={2}>
                <b>+</b> {pair.chosen}
              </Text>
              <Text fz="xs" lineClamp={2}>
                <b>−</b> {pair.rejected}
              </Text>
              <MadeBy pair={pair} />
            </div>
          </Link>
        </li>
      ))}
    </ul>
  );
}
