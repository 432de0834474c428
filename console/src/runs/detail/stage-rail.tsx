import { Box, Group, Popover, Progress, Stack, Table, Text, UnstyledButton } from '@mantine/core';
import { Link } from 'react-router';
import { count, duration, elapsed, moment, percent } from '../../format';
import { StageState, type Run, type Stage } from '@stic/api/gen/stic/runs/v1/runs.js';
import { JobFailure } from '../../ui/feedback';
import { StateShape } from '../../ui/icons';
import { jobLook, stageLook, stageShare } from '../../states';
import { stagePurpose, stageWord } from '../../words';
import classes from './stage-rail.module.css';

/** The run's stages in order, joined by arrows: state, progress, time, attempts. */
export function StageRail({ run }: { run: Run }) {
  return (
    <Box component="nav" aria-label="Stages">
      <ol className={classes.rail}>
        {run.stages.map((stage) => (
          <li key={stage.id} className={classes.cell}>
            <Popover position="bottom-start" width={600} shadow="md" withinPortal>
              <Popover.Target>
                <UnstyledButton className={classes.stage} data-state={stageLook(stage.state).shape} aria-label={summary(stage)}>
                  <StageFace stage={stage} />
                </UnstyledButton>
              </Popover.Target>
              <Popover.Dropdown>
                <StageDetail stage={stage} />
              </Popover.Dropdown>
            </Popover>
          </li>
        ))}
      </ol>
    </Box>
  );
}

function waitsFor(stage: Stage): string {
  if (stage.state !== StageState.STAGE_STATE_PENDING || stage.after.length === 0) return '';
  return `after ${stage.after.map(stageWord).join(', ')}`;
}

function summary(stage: Stage): string {
  const look = stageLook(stage.state);
  const share = look.shape === 'running' ? `, ${percent(stageShare(stage))}` : '';
  return `Stage ${stageWord(stage.kind)}: ${look.word.toLowerCase()}${share}. Show attempts`;
}

function StageFace({ stage }: { stage: Stage }) {
  const look = stageLook(stage.state);
  const latest = stage.attempts.at(-1);
  const { progress } = stage;
  const running = stage.state === StageState.STAGE_STATE_RUNNING;
  const notes = [
    stage.linkedFrom ? `linked from ${stage.linkedFrom.runName || 'an earlier run'}` : '',
    stage.attempts.length > 1 ? `attempt ${String(stage.attempts.length)}` : '',
    latest && latest.resumedFromStep > 0 ? `resumed from step ${count(latest.resumedFromStep)}` : '',
  ].filter(Boolean);
  return (
    <Stack gap={4} h="100%">
      <Group justify="space-between" wrap="nowrap" gap={4}>
        <Text fw={600}>{stageWord(stage.kind)}</Text>
        <Text fz="xs" c="dimmed" className="number">
          {elapsed(stage.startedAt, stage.endedAt)}
        </Text>
      </Group>
      <Group gap={5} wrap="nowrap" c={look.color === 'gray' ? 'dimmed' : `var(--mantine-color-${look.color}-text)`}>
        <StateShape shape={look.shape} />
        <Text fz="xs" fw={600}>
          {look.word}
        </Text>
      </Group>
      {progress && progress.total > 0 && stage.attempts.length > 0 && (
        <>
          <Progress value={stageShare(stage) * 100} size={4} color={look.color} aria-label={`Progress of ${stageWord(stage.kind)}`} />
          <Text fz="xs" c="dimmed" className="number" truncate>
            {count(progress.done)} / {count(progress.total)} {progress.unit}
            {running && progress.etaSeconds > 0 ? ` \u00b7 ${duration(progress.etaSeconds)}` : ''}
          </Text>
        </>
      )}
      {running && progress?.phase && (
        <Text fz="xs" c="dimmed" lineClamp={2}>
          {progress.phase}
        </Text>
      )}
      {(waitsFor(stage) || notes.length > 0) && (
        <Text fz="xs" c="dimmed">
          {waitsFor(stage) || notes.join(', ')}
        </Text>
      )}
    </Stack>
  );
}

function StageDetail({ stage }: { stage: Stage }) {
  return (
    <Stack gap="xs">
      <div>
        <Text fw={600}>{stageWord(stage.kind)}</Text>
        <Text fz="sm" c="dimmed">
          {stagePurpose(stage.kind)}
        </Text>
      </div>
      {stage.error && <JobFailure error={stage.error} title="The stage failed" />}
      {stage.linkedFrom && (
        <Text fz="sm">
          Not run again: the same stage on the same inputs succeeded in{' '}
          <Link to={`/runs/${stage.linkedFrom.runId}`}>{stage.linkedFrom.runName || stage.linkedFrom.runId}</Link>.
        </Text>
      )}
      {stage.attempts.length === 0 ? (
        <Text fz="sm">No attempt yet. {waitsFor(stage) ? `It starts ${waitsFor(stage)}.` : ''}</Text>
      ) : (
        <Table fz="xs" aria-label={`Attempts of ${stageWord(stage.kind)}`}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Attempt</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Started</Table.Th>
              <Table.Th>Took</Table.Th>
              <Table.Th>Where</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {stage.attempts.map((attempt) => (
              <Table.Tr key={attempt.id}>
                <Table.Td>
                  {attempt.number}
                  {attempt.resumedFromStep > 0 ? `, from step ${String(attempt.resumedFromStep)}` : ''}
                </Table.Td>
                <Table.Td>
                  {jobLook(attempt.state).word}
                  {attempt.error ? `: ${attempt.error.message}` : ''}
                </Table.Td>
                <Table.Td>{moment(attempt.startedAt)}</Table.Td>
                <Table.Td className="number">{elapsed(attempt.startedAt, attempt.endedAt)}</Table.Td>
                <Table.Td>
                  {attempt.trainer || 'linked'}
                  {attempt.device ? `, ${attempt.device} ${attempt.dtype}` : ''}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}
