import { lazy, Suspense } from 'react';
import { Navigate, type RouteObject } from 'react-router';
import { ChampionPage } from './registry/champion-page';
import { CheckpointPage } from './checkpoints/checkpoint-page';
import { CheckpointsPage } from './checkpoints/checkpoints-page';
import { RetentionPage } from './checkpoints/retention-page';
import { DatasetPage } from './datasets/dataset-page';
import { DatasetsPage } from './datasets/datasets-page';
import { NewDatasetPage } from './datasets/new-dataset-page';
import { FilesTab } from './runs/detail/files-tab';
import { LogsTab } from './runs/detail/logs-tab';
import { OverviewTab } from './runs/detail/overview-tab';
import { PairsTab } from './runs/detail/pairs-tab';
import { RecipeTab } from './runs/detail/recipe-tab';
import { RunPage } from './runs/detail/run-page';
import { SkippedTab } from './runs/detail/skipped-tab';
import { RunsPage } from './runs/list/runs-page';
import { Lines } from './ui/feedback';
import { Broken, Missing, Shell } from './shell';
import { ScheduleFormPage } from './schedules/schedule-form-page';
import { SchedulePage } from './schedules/schedule-page';
import { SchedulesPage } from './schedules/schedules-page';
import { StartPage } from './runs/new/start-page';
import { TrainersPage } from './trainers/trainers-page';
import { WebhooksPage } from './webhooks/webhooks-page';

// The charts' library is a third of the code, and this tab its only user.
const MetricsTab = lazy(async () => ({ default: (await import('./runs/detail/metrics-tab')).MetricsTab }));

export const routes: RouteObject[] = [
  {
    element: <Shell />,
    errorElement: <Broken />,
    children: [
      { index: true, element: <Navigate to="/runs" replace /> },
      { path: 'runs', element: <RunsPage /> },
      { path: 'runs/new', element: <StartPage /> },
      {
        path: 'runs/:runId',
        element: <RunPage />,
        children: [
          { index: true, element: <OverviewTab /> },
          { path: 'overview', element: <OverviewTab /> },
          {
            path: 'metrics',
            element: (
              <Suspense fallback={<Lines />}>
                <MetricsTab />
              </Suspense>
            ),
          },
          { path: 'pairs', element: <PairsTab /> },
          { path: 'pairs/:index', element: <PairsTab /> },
          { path: 'logs', element: <LogsTab /> },
          { path: 'skipped', element: <SkippedTab /> },
          { path: 'recipe', element: <RecipeTab /> },
          { path: 'files', element: <FilesTab /> },
        ],
      },
      { path: 'schedules', element: <SchedulesPage /> },
      { path: 'schedules/new', element: <ScheduleFormPage key="new" /> },
      { path: 'schedules/:scheduleId', element: <SchedulePage /> },
      { path: 'schedules/:scheduleId/edit', element: <ScheduleFormPage key="edit" /> },
      { path: 'datasets', element: <DatasetsPage /> },
      { path: 'datasets/new', element: <NewDatasetPage /> },
      { path: 'datasets/:datasetId', element: <DatasetPage /> },
      { path: 'checkpoints', element: <CheckpointsPage /> },
      { path: 'checkpoints/retention', element: <RetentionPage /> },
      { path: 'checkpoints/:checkpointId', element: <CheckpointPage /> },
      { path: 'champion', element: <ChampionPage /> },
      { path: 'trainers', element: <TrainersPage /> },
      { path: 'webhooks', element: <WebhooksPage /> },
      { path: '*', element: <Missing /> },
    ],
  },
];
