import { Image, SegmentedControl, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { imageUrl } from '../../api/blobs';
import type { Pair } from '@stic/api/gen/stic/runs/v1/runs.js';
import { isImported, madeByWords } from './made-by';
import classes from './pairs.module.css';

/** The image of a pair; where the model saw a corrupted one, that too: by the switch, or while Space is held. */
export function PairImage({ pair }: { pair: Pair }) {
  const [chosen, setChosen] = useState('clean');
  const held = useHeldSpace();
  const hasCorrupted = pair.corruptedImageSha256 !== '';
  const corrupted = hasCorrupted && (chosen === 'corrupted') !== held;
  return (
    <Stack gap="xs">
      <Image
        src={imageUrl(corrupted ? pair.corruptedImageSha256 : pair.imageSha256)}
        alt={corrupted ? `${pair.imageName}, corrupted: ${madeByWords(pair)}` : pair.imageName}
        fit="contain"
        className={classes.image}
      />
      {hasCorrupted ? (
        <>
          <SegmentedControl
            size="xs"
            aria-label="Which image"
            value={corrupted ? 'corrupted' : 'clean'}
            onChange={setChosen}
            data={[
              { value: 'clean', label: 'Clean image' },
              { value: 'corrupted', label: 'Corrupted image' },
            ]}
          />
          <Text fz="xs" c="dimmed">
            The rejected text describes the corrupted image. Hold Space to compare.
          </Text>
        </>
      ) : (
        <Text fz="xs" c="dimmed">
          {isImported(pair)
            ? 'The pair was imported with the dataset; what made its rejected text is not known.'
            : 'Both texts describe this image; the rejected one was asked for with a misleading prompt.'}
        </Text>
      )}
    </Stack>
  );
}

function useHeldSpace(): boolean {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.code !== 'Space' || target.closest('input, textarea, button, a')) return;
      event.preventDefault();
      setHeld(event.type === 'keydown');
    };
    const release = () => {
      setHeld(false);
    };
    window.addEventListener('keydown', onKey);
    window.addEventListener('keyup', onKey);
    window.addEventListener('blur', release);
    return () => {
      window.removeEventListener('keydown', onKey);
      window.removeEventListener('keyup', onKey);
      window.removeEventListener('blur', release);
    };
  }, []);
  return held;
}
