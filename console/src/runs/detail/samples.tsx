import { Image, SimpleGrid, Stack, Text } from '@mantine/core';
import { imageUrl } from '../../api/blobs';
import type { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { Sample } from '@stic/api/gen/stic/common/v1/common.js';
import { Section } from '../../ui/layout';
import { hasEnded } from '../../states';
import { subjectWord } from '../../words';
import classes from './samples.module.css';

const order = ['base', 'stage1', 'stage2'];

/** What base and trained model say about the same images. */
export function Samples({ run, samples }: { run: Run; samples: Sample[] }) {
  const images = Object.values(Object.groupBy(samples, (sample) => `${sample.imageName}/${sample.prompt}`)).filter(
    (group) => group !== undefined,
  );
  return (
    <Section title="Sample descriptions" note="The same unlabeled images, described before and after.">
      {images.length === 0 ? (
        <Text fz="sm" c="dimmed">
          {hasEnded(run) ? 'This run has no samples.' : 'The evaluate stage makes them.'}
        </Text>
      ) : (
        <Stack gap="lg">
          {images.map((group) => (
            <SampleRow key={`${group[0]?.imageName ?? ''}/${group[0]?.prompt ?? ''}`} samples={group} />
          ))}
        </Stack>
      )}
    </Section>
  );
}

function SampleRow({ samples }: { samples: Sample[] }) {
  const [first] = samples;
  if (!first) return null;
  const sorted = [...samples].sort((a, b) => order.indexOf(a.subject) - order.indexOf(b.subject));
  return (
    <article className={classes.row} aria-label={`Descriptions of ${first.imageName}`}>
      <div>
        <Image src={imageUrl(first.imageSha256)} alt={first.imageName} fit="contain" radius="sm" className={classes.image} />
        <Text fz="xs" c="dimmed" truncate title={first.imageName}>
          {first.imageName}
        </Text>
      </div>
      <div>
        <Text fz="xs" c="dimmed" mb={4}>
          {first.prompt}
        </Text>
        <SimpleGrid cols={sorted.length}>
          {sorted.map((sample) => (
            <div key={sample.subject}>
              <Text fz="xs" fw={600}>
                {subjectWord(sample.subject)}
              </Text>
              <Text fz="sm" style={{ whiteSpace: 'pre-wrap' }}>
                {sample.text}
              </Text>
            </div>
          ))}
        </SimpleGrid>
      </div>
    </article>
  );
}
