import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from './errors.js';
import { checkedName, checkedText, refuseNul } from './text.js';

function refused(work: () => unknown, field: string): void {
  assert.throws(work, (error) => error instanceof DomainError && error.code === 'INVALID_ARGUMENT' && error.field === field);
}

test('a name is on one line and all of it shows', () => {
  assert.equal(checkedName('name', '  nightly 写真 👩‍👩‍👧 '), 'nightly 写真 👩‍👩‍👧');
  assert.equal(checkedName('name', ' ', { optional: true }), '');
  for (const bad of ['', ' ', 'a\0b', 'a\nb', 'a\u001b[31m', 'a\u202eb', 'a\u200bb', 'x'.repeat(201)])
    refused(() => checkedName('name', bad), 'name');
});

test('a text has lines, but no control characters', () => {
  assert.equal(checkedText('comment', ' one\n\ttwo\r\n '), 'one\n\ttwo');
  for (const bad of ['a\0b', 'a\u0007b', 'x'.repeat(2_001)]) refused(() => checkedText('comment', bad), 'comment');
});

test('a NUL is found at any depth, and named', () => {
  refuseNul({ name: 'a', at: new Date(), count: 3, list: ['b'], none: undefined, nothing: null });
  refused(() => refuseNul({ runName: 'a\0' }), 'run_name');
  refused(() => refuseNul({ spec: { inputs: [{ role: 'images' }, { role: '\0' }] } }), 'spec.inputs[1].role');
  refused(() => refuseNul({ requires: { labels: { 'a\0': '1' } } }), 'requires.labels');
});
