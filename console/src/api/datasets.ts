import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  Dataset,
  ListDatasetItemsResponse,
  ListDatasetProblemsResponse,
  ListDatasetsResponse,
  VersionState,
} from '@stic/api/gen/stic/datasets/v1/datasets.js';
import type { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { get, post } from './client';
import { useWatch } from './watch';

export function isImporting(dataset: Dataset): boolean {
  return dataset.latest?.state === VersionState.VERSION_STATE_IMPORTING;
}

const isSettled = (dataset: Dataset): boolean => !isImporting(dataset);

/** All datasets, newest first, page after page. */
export function useDatasets() {
  return useInfiniteQuery({
    queryKey: ['datasets'],
    queryFn: ({ pageParam, signal }) => get(ListDatasetsResponse, '/datasets', { page_size: 200, page_token: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.datasets.some(isImporting)) ? 2000 : 15_000),
  });
}

/** A dataset, kept up to date while it is being imported. */
export function useDataset(datasetId: string) {
  const key = ['dataset', datasetId];
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => get(Dataset, `/datasets/${datasetId}`, {}, signal),
  });
  const enabled = query.data !== undefined && isImporting(query.data);
  const connection = useWatch({
    path: `/datasets/${datasetId}/watch`,
    decoder: Dataset,
    key,
    enabled,
    isFinal: isSettled,
  });
  return { ...query, connection };
}

export function useDatasetItems(datasetId: string, versionId: string, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ['items', datasetId, versionId],
    queryFn: ({ pageParam, signal }) =>
      get(
        ListDatasetItemsResponse,
        `/datasets/${datasetId}/items`,
        { version_id: versionId, page_size: 60, page_token: pageParam },
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    enabled,
    staleTime: Infinity,
  });
}

export function useDatasetProblems(datasetId: string, versionId: string, importing: boolean) {
  return useInfiniteQuery({
    queryKey: ['problems', datasetId, versionId, importing],
    queryFn: ({ pageParam, signal }) =>
      get(
        ListDatasetProblemsResponse,
        `/datasets/${datasetId}/problems`,
        { version_id: versionId, page_size: 100, page_token: pageParam },
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken || undefined,
    refetchInterval: importing ? 2000 : false,
  });
}

export interface NewDataset {
  request_id: string;
  name: string;
  kind: DatasetKind;
  source: string;
  image_root: string;
  image_list: string;
}

export function useCreateDataset() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (dataset: NewDataset) => post(Dataset, '/datasets', dataset),
    onSuccess: () => client.invalidateQueries({ queryKey: ['datasets'] }),
  });
}

export function useRefreshDataset(datasetId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (requestId: string) => post(Dataset, `/datasets/${datasetId}/refresh`, { request_id: requestId }),
    onSuccess: (dataset) => {
      client.setQueryData(['dataset', datasetId], dataset);
    },
  });
}
