import { Alert, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { ApiError } from '@stic/api/http.js';
import { hintOf } from '../api/errors';
import type { JobError } from '@stic/api/gen/stic/common/v1/common.js';

/** Says what will appear here, what makes it, and offers the one thing to do. */
export function Empty({ title, children, to, action }: { title: string; children: ReactNode; to?: string; action?: string }) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" className="panel">
      <Title order={3} fz="lg">
        {title}
      </Title>
      <Text c="dimmed" ta="center" maw={560}>
        {children}
      </Text>
      {to && action && (
        <Button component={Link} to={to} mt="xs">
          {action}
        </Button>
      )}
    </Stack>
  );
}

/** What went wrong with a request: code, reason, what to do. */
export function Failure({ error, what, onRetry }: { error: unknown; what: string; onRetry?: () => void }) {
  const refused = error instanceof ApiError ? error : undefined;
  const hint = hintOf(error);
  return (
    <Alert color="red" title={`${what} could not be loaded`} role="alert">
      <Text fz="sm">{error instanceof Error ? error.message : String(error)}</Text>
      {hint && <Text fz="sm">{hint}</Text>}
      <Group mt="xs" gap="xs">
        {onRetry && (
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
        {refused && (
          <Text fz="xs" c="dimmed" className="mono">
            {refused.code}
          </Text>
        )}
      </Group>
    </Alert>
  );
}

/** Why a form was not taken: the reason, what to do, and the field at fault. */
export function Refusal({ error, title }: { error: Error; title: string }) {
  const refused = error instanceof ApiError ? error : undefined;
  const hint = hintOf(error);
  return (
    <Alert color="red" title={title} role="alert">
      <Text fz="sm" style={{ overflowWrap: 'anywhere' }}>
        {error.message}
      </Text>
      {hint && (
        <Text fz="sm" fw={600}>
          {hint}
        </Text>
      )}
      <Text fz="xs" c="dimmed" className="mono" mt={4}>
        {[refused?.code, refused?.field].filter(Boolean).join(' \u00b7 ')}
      </Text>
    </Alert>
  );
}

/** Why a run or a stage failed. */
export function JobFailure({ error, title }: { error: JobError; title: string }) {
  return (
    <Alert color="red" title={title} role="alert">
      <Text fz="sm" style={{ overflowWrap: 'anywhere' }}>
        {error.message}
      </Text>
      {error.subject && (
        <Text fz="sm">
          At fault: <span className="mono">{error.subject}</span>
        </Text>
      )}
      {error.hint && (
        <Text fz="sm" fw={600}>
          {error.hint}
        </Text>
      )}
      <Text fz="xs" c="dimmed" className="mono" mt={4}>
        {error.code}
        {error.transient ? ' \u00b7 may pass when tried again' : ''}
      </Text>
    </Alert>
  );
}

export function Lines({ rows = 6 }: { rows?: number }) {
  return (
    <Stack gap={8} aria-busy aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={22} width={row % 3 === 2 ? '70%' : '100%'} />
      ))}
    </Stack>
  );
}

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** The button under a list that has more pages. */
export function LoadMore({ pages }: { pages: Pages }) {
  if (!pages.hasNextPage) return null;
  return (
    <Group justify="center" py="sm">
      <Button variant="default" size="compact-md" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
        Load more
      </Button>
    </Group>
  );
}
