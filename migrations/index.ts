import { Datasets1764000000001 } from './0001-datasets.js';
import { Pipeline1764000000002 } from './0002-pipeline.js';
import { Actions1764000000003 } from './0003-actions.js';
import { Schedules1764000000004 } from './0004-schedules.js';
import { Registry1764000000005 } from './0005-registry.js';
import { Retention1764000000006 } from './0006-retention.js';
import { RetentionPolicy1764000000007 } from './0007-retention-policy.js';
import { ImageLists1764000000008 } from './0008-image-lists.js';
import { ImportedCheckpoints1764000000009 } from './0009-imported-checkpoints.js';
import { MergedExports1764000000010 } from './0010-merged-exports.js';
import { MetricRollups1764000000011 } from './0011-metric-rollups.js';
import { Search1764000000013 } from './0013-search.js';

/** In the order they run. */
export const migrations = [
  Datasets1764000000001,
  Pipeline1764000000002,
  Actions1764000000003,
  Schedules1764000000004,
  Registry1764000000005,
  Retention1764000000006,
  RetentionPolicy1764000000007,
  ImageLists1764000000008,
  ImportedCheckpoints1764000000009,
  MergedExports1764000000010,
  MetricRollups1764000000011,
  Search1764000000013,
];
