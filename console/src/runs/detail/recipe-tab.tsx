import { SimpleGrid, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { count } from '../../format';
import type { Run } from '@stic/api/gen/stic/runs/v1/runs.js';
import { asText, leaves, recipeToJson, type Json, type JsonObject } from '../../recipe-json';
import { CopyButton } from '../../ui/copy';
import { Differences } from '../../ui/differences';
import { Digest } from '../../ui/digest';
import { Facts, Section } from '../../ui/layout';
import { useRunContext } from './context';

/** The frozen recipe: first what differs from the paper, then all of it. */
export function RecipeTab() {
  const { run } = useRunContext();
  if (!run.recipe) return null;
  const recipe = recipeToJson(run.recipe);
  const sections = Object.entries(recipe).filter(([, value]) => typeof value === 'object' && value !== null);
  const head = Object.entries(recipe).filter(([, value]) => typeof value !== 'object');
  return (
    <Stack gap="md">
      <Section
        title="Differences from the paper"
        note="The rest is as arXiv 2405.19716 states it."
        actions={<CopyButton value={JSON.stringify(recipe, null, 2)}>Copy the recipe as JSON</CopyButton>}
      >
        <Differences differences={run.differences} />
      </Section>
      <Inputs run={run} />
      <Section title="The whole recipe" note="Frozen when the run was created.">
        <Facts
          facts={[
            ...head.map(([name, value]): [string, string] => [name, show(value)]),
            ['digest', <Digest key="digest" value={run.recipeDigest} />],
          ]}
        />
        <SimpleGrid cols={{ base: 1, md: 2 }} mt="md" spacing="lg">
          {sections.map(([name, value]) => (
            <div key={name}>
              <Text fw={600} mb={4}>
                {name}
              </Text>
              <Facts facts={leaves(value as JsonObject).map(([path, leaf]): [string, string] => [path, show(leaf)])} />
            </div>
          ))}
        </SimpleGrid>
      </Section>
    </Stack>
  );
}

function show(value: Json): string {
  if (!Array.isArray(value)) return asText(value);
  return value.map(asText).join(' \u00b7 ');
}

function Inputs({ run }: { run: Run }) {
  return (
    <Section title="Inputs" note="Dataset versions never change; the digest names the content.">
      <Facts
        facts={run.inputs.map((input) => [
          input.role,
          <span key={input.versionId}>
            <Link to={`/datasets/${input.datasetId}`}>{input.datasetName}</Link> ({count(input.items)} items
            {input.skipped > 0 ? `, ${count(input.skipped)} refused at import` : ''}) <Digest value={input.digest} />
          </span>,
        ])}
      />
    </Section>
  );
}
