import { Image, Modal, Paper, Stack, Text, UnstyledButton } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { imageUrl } from '../api/blobs';
import { datasets } from '../api/clients';
import { usePages } from '../api/hooks';
import { VersionState, type Dataset, type DatasetItem } from '@stic/api/gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '@stic/api/gen/stic/common/v1/common.js';
import { Empty, Failure, Lines, LoadMore } from '../ui/feedback';
import classes from './items.module.css';

/** The version's items: thumbnails for images, conversations beside their image for the rest. */
export function Items({ dataset }: { dataset: Dataset }) {
  const { latest } = dataset;
  const ready = latest?.state === VersionState.VERSION_STATE_READY;
  const request = { datasetId: dataset.id, versionId: latest?.id ?? '', pageSize: 60 };
  const pages = usePages(datasets.listDatasetItems, request, { enabled: ready, staleTime: Infinity });
  const [search, setSearch] = useSearchParams();
  if (!ready) return <Empty title="No items yet">Items appear when the import is ready.</Empty>;
  if (pages.isError) return <Failure error={pages.error} what="The items" onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <Lines />;
  const items = pages.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Empty title="Nothing in the source could be used">See Problems for the reasons.</Empty>;
  const open = items.find((item) => item.name === search.get('item'));

  const show = (name: string | undefined) => {
    setSearch(name === undefined ? {} : { item: name });
  };

  return (
    <>
      {dataset.kind === DatasetKind.DATASET_KIND_IMAGES ? (
        <ul className={classes.grid} aria-label="Images">
          {items.map((item) => (
            <li key={item.name}>
              <Thumbnail
                item={item}
                onOpen={() => {
                  show(item.name);
                }}
              />
            </li>
          ))}
        </ul>
      ) : (
        <Stack gap="xs">
          {items.map((item) => (
            <Conversation
              key={item.name}
              item={item}
              onOpen={() => {
                show(item.name);
              }}
            />
          ))}
        </Stack>
      )}
      <LoadMore pages={pages} />
      <Modal
        opened={open !== undefined}
        onClose={() => {
          show(undefined);
        }}
        title={open?.name}
        size="xl"
        centered
      >
        {open && (
          <Stack gap="xs">
            <Image src={imageUrl(open.imageSha256)} alt={open.name} fit="contain" mah="70vh" />
            <Text fz="sm" c="dimmed">
              {imageFacts(open)}
            </Text>
          </Stack>
        )}
      </Modal>
    </>
  );
}

const imageFacts = (item: DatasetItem): string => `${String(item.width)} × ${String(item.height)} px, ${item.format}`;

function Thumbnail({ item, onOpen }: { item: DatasetItem; onOpen: () => void }) {
  return (
    <UnstyledButton className={classes.thumbnail} onClick={onOpen} aria-label={`Open ${item.name}`}>
      <Image src={imageUrl(item.thumbnailSha256)} alt={item.name} fit="contain" className={classes.picture} loading="lazy" />
      <Text fz="xs" truncate title={item.name}>
        {item.name}
      </Text>
      <Text fz="xs" c="dimmed" className="number">
        {imageFacts(item)}
      </Text>
    </UnstyledButton>
  );
}

function Conversation({ item, onOpen }: { item: DatasetItem; onOpen: () => void }) {
  return (
    <Paper withBorder p="sm" className={classes.conversation} component="article" aria-label={item.name}>
      <div>
        {item.thumbnailSha256 ? (
          <UnstyledButton onClick={onOpen} aria-label={`Open the image of ${item.name}`}>
            <Image src={imageUrl(item.thumbnailSha256)} alt="" fit="contain" mah={120} loading="lazy" />
          </UnstyledButton>
        ) : (
          <Text fz="xs" c="dimmed">
            no image
          </Text>
        )}
      </div>
      <div>
        <Text fz="xs" c="dimmed" className="mono">
          {item.name}
        </Text>
        {item.turns.map((turn, index) => (
          <Text key={index} fz="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            <b>{turn.from}</b> {turn.text}
          </Text>
        ))}
      </div>
    </Paper>
  );
}
