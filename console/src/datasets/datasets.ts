import { datasets } from '../api/clients';
import { usePages } from '../api/hooks';
import { isImporting } from '../states';

/** All datasets, newest first, page after page. */
export const useDatasets = () =>
  usePages(
    datasets.listDatasets,
    { pageSize: 200 },
    { pollMs: (pages) => (pages.some((page) => page.datasets.some(isImporting)) ? 2000 : 15_000) },
  );
