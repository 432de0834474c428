import { Group, Tooltip } from '@mantine/core';
import type { Stage } from '@stic/api/gen/stic/runs/v1/runs.js';
import { percent } from '../../format';
import { StateShape } from '../../ui/icons';
import { stageLook, stageShare } from '../../states';
import { stageWord } from '../../words';

function say(stage: Stage): string {
  const look = stageLook(stage.state);
  const share = look.shape === 'running' ? ` ${percent(stageShare(stage))}` : '';
  return `${stageWord(stage.kind)}: ${look.word.toLowerCase()}${share}`;
}

/** The run's stages as a row of shapes. */
export function MiniRail({ stages }: { stages: Stage[] }) {
  const words = stages.map(say);
  return (
    <Tooltip label={words.join('\n')} style={{ whiteSpace: 'pre-line' }}>
      <Group gap={5} wrap="nowrap" role="img" aria-label={words.join(', ')} display="inline-flex">
        {stages.map((stage) => {
          const look = stageLook(stage.state);
          return (
            <span
              key={stage.id || stage.kind}
              style={{
                display: 'flex',
                color: `var(--mantine-color-${look.color}-${look.color === 'gray' ? '5' : '7'})`,
              }}
            >
              <StateShape shape={look.shape} size={13} />
            </span>
          );
        })}
      </Group>
    </Tooltip>
  );
}
