import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateDatasetRequest, ListDatasetItemsRequest, ListDatasetsRequest } from '../../gen/stic/datasets/v1/datasets.js';
import { DatasetKind } from '../../gen/stic/trainer/v1/trainer.js';
import { DomainError } from '../errors.js';
import { parseMessage } from './messages.js';

function refused(work: () => unknown, field: string, message: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof DomainError);
    assert.deepEqual([error.code, error.field], ['INVALID_ARGUMENT', field]);
    assert.match(error.message, message);
    return true;
  });
}

test('fields come from query and path, the path having the last word', () => {
  const request = parseMessage(ListDatasetItemsRequest, { page_size: '7', dataset_id: 'other' }, { dataset_id: 'this' }, undefined);
  assert.deepEqual(request, { datasetId: 'this', versionId: '', pageSize: 7, pageToken: '' });
});

test('enums are read by name', () => {
  const { kind } = parseMessage(CreateDatasetRequest, { kind: 'DATASET_KIND_IMAGES' });
  assert.equal(kind, DatasetKind.DATASET_KIND_IMAGES);
  refused(() => parseMessage(CreateDatasetRequest, { kind: 'DATASET_KIND_SOUNDS' }), 'kind', /DATASET_KIND_SOUNDS is not a value of kind/);
});

test('a field that does not exist is named, and the known ones are listed', () => {
  refused(() => parseMessage(ListDatasetsRequest, { pagesize: 3 }), 'pagesize', /not a field of this request/);
  assert.throws(
    () => parseMessage(ListDatasetsRequest, { pagesize: 3 }),
    (error) => error instanceof DomainError && /page_size, page_token, kind/.test(error.hint ?? ''),
  );
});

test('what is no object and what is no number is refused', () => {
  refused(() => parseMessage(ListDatasetsRequest, [1]), 'body', /must be a JSON object/);
  refused(() => parseMessage(ListDatasetsRequest, 'text'), 'body', /must be a JSON object/);
  refused(() => parseMessage(ListDatasetsRequest, { page_size: 'many' }), 'page_size', /must be a number/);
});
