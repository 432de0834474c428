import { Accordion, Alert, Button, List, Loader, Stack, Table, Text } from '@mantine/core';
import { gateRule } from '../../registry/gate-rule';
import { CreateRunRequest, type Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import type { RunRequest } from './draft';
import { CopyBlock } from '../../ui/copy';
import { Differences } from '../../ui/differences';
import { Refusal } from '../../ui/feedback';
import { Section } from '../../ui/layout';
import { stagePurpose, stageWord } from '../../words';
import { stageWork } from './plan';
import { PreflightTable } from './preflight';

interface PreviewProps {
  run: Run | undefined;
  error: Error | null;
  /** What the form itself still lacks. */
  missing: string;
  checking: boolean;
  starting: boolean;
  request: RunRequest | undefined;
  onStart: () => void;
}

/** What the run will do, as the server sees it, and the button that does it. */
export function Preview({ run, error, missing, checking, starting, request, onStart }: PreviewProps) {
  const startable = run !== undefined && !error && !missing && !checking && !run.preflight?.obstacles.length;
  return (
    <Stack gap="md" pos="sticky" top={64}>
      <Section title="What will run" actions={checking ? <Loader size="xs" aria-label="Checking" /> : undefined}>
        <Stack gap="sm">
          {missing && (
            <Text fz="sm" c="dimmed">
              {missing}
            </Text>
          )}
          {!missing && error && <Refusal error={error} title="This run cannot start" />}
          {!missing && !error && run && <Plan run={run} />}
          <Button onClick={onStart} disabled={!startable} loading={starting}>
            Start the run
          </Button>
        </Stack>
      </Section>
      {run && !missing && !error && (
        <Section title="Differences from the paper">
          <Differences differences={run.differences} />
        </Section>
      )}
      {request && <ShowConfig request={request} />}
    </Stack>
  );
}

function Plan({ run }: { run: Run }) {
  const notes = [...run.warnings, ...(run.waiting ? [`Would wait: ${run.waiting}.`] : [])];
  return (
    <>
      <Table aria-label="Stages that will run" fz="sm">
        <Table.Tbody>
          {run.stages.map((stage, index) => (
            <Table.Tr key={stage.kind}>
              <Table.Td w={20} c="dimmed">
                {index + 1}
              </Table.Td>
              <Table.Td>
                <b>{stageWord(stage.kind)}</b> {stagePurpose(stage.kind)}
                <Text fz="xs" c="dimmed">
                  {stageWork(run, stage.kind)}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {run.preflight && <PreflightTable preflight={run.preflight} />}
      {run.recipe?.gate && <Text fz="sm">{gateRule(run.recipe.gate)}</Text>}
      {notes.length > 0 && (
        <Alert color="orange" py="xs">
          <List fz="sm">
            {notes.map((note) => (
              <List.Item key={note}>{note}</List.Item>
            ))}
          </List>
        </Alert>
      )}
    </>
  );
}

function ShowConfig({ request }: { request: RunRequest }) {
  const json = JSON.stringify(CreateRunRequest.toJSON(CreateRunRequest.fromPartial(request)), null, 2);
  const command = `curl -X POST ${window.location.origin}/api/runs -H 'content-type: application/json' -d @run.json`;
  return (
    <Accordion variant="contained" chevronPosition="left">
      <Accordion.Item value="config">
        <Accordion.Control>Show the command and the JSON</Accordion.Control>
        <Accordion.Panel>
          <Stack gap="xs">
            <Text fz="sm">The same run from a terminal, with the JSON below as run.json:</Text>
            <CopyBlock value={command} label="Copy the command" />
            <CopyBlock value={json} label="Copy the JSON" maxHeight={320} />
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
