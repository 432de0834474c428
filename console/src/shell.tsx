import { ActionIcon, Alert, AppShell, Button, Group, NavLink, Text, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { Link, Outlet, useLocation, useRouteError } from 'react-router';
import { useHealth } from './api/health';
import { Empty } from './ui/feedback';

const places = [
  { to: '/runs', label: 'Runs' },
  { to: '/schedules', label: 'Schedules' },
  { to: '/datasets', label: 'Datasets' },
  { to: '/checkpoints', label: 'Checkpoints' },
  { to: '/champion', label: 'Champion' },
  { to: '/trainers', label: 'Trainers' },
  { to: '/webhooks', label: 'Webhooks' },
];

export function Shell() {
  const { pathname } = useLocation();
  const health = useHealth();
  return (
    <AppShell header={{ height: 44 }} navbar={{ width: 168, breakpoint: 'xs' }} padding="lg">
      <a href="#main" className="skip-link">
        Skip to the content
      </a>
      <AppShell.Header px="md" style={{ background: 'var(--panel)' }}>
        <Group h="100%" justify="space-between">
          <Link to="/runs" className="plain">
            <Group gap={8}>
              <Text fw={700} fz="lg">
                STIC
              </Text>
              <Text c="dimmed" fz="sm">
                control plane
              </Text>
            </Group>
          </Link>
          <Group gap="sm">
            <Button component={Link} to="/runs/new" size="compact-md">
              Start a run
            </Button>
            <SchemeToggle />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p={8} aria-label="Main" style={{ background: 'var(--panel)' }}>
        {places.map(({ to, label }) => (
          <NavLink
            key={to}
            component={Link}
            to={to}
            label={label}
            active={pathname.startsWith(to)}
            aria-current={pathname.startsWith(to) ? 'page' : undefined}
            style={{ borderRadius: 4 }}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main">
        {health.isError && (
          <Alert color="orange" title="The server does not answer" mb="md" role="alert">
            Data may be stale. Jobs on the trainers go on without the server; this page catches up when it is back.
          </Alert>
        )}
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const next = scheme === 'dark' ? 'light' : 'dark';
  return (
    <ActionIcon
      variant="default"
      aria-label={`Use the ${next} colours`}
      title={`Use the ${next} colours`}
      onClick={() => {
        setColorScheme(next);
      }}
    >
      <svg width={14} height={14} viewBox="0 0 14 14" aria-hidden>
        <circle cx={7} cy={7} r={5.5} fill="none" stroke="currentColor" strokeWidth={1.4} />
        <path d="M7 1.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />
      </svg>
    </ActionIcon>
  );
}

export function Missing() {
  return (
    <Empty title="There is no such page" to="/runs" action="Go to the runs">
      The address may be old or mistyped.
    </Empty>
  );
}

/** The last resort: a view that threw. The server and everything it runs are not affected. */
export function Broken() {
  const error = useRouteError();
  return (
    <Alert color="red" title="This view broke" m="xl" role="alert">
      <Text fz="sm">{error instanceof Error ? error.message : String(error)}</Text>
      <Text fz="sm">Runs are not affected. Reload the page; if it breaks again, please report the text above.</Text>
      <Button mt="sm" size="compact-sm" variant="default" component="a" href="/runs">
        Go to the runs
      </Button>
    </Alert>
  );
}
