import { DomainError } from './errors.js';
import { checkedName, checkedText, refuseNul } from './text.js';
import { thrown } from '../../../test/support/expect.js';

function refused(work: () => unknown, field: string): void {
  expect(thrown(work, DomainError)).toMatchObject({ code: 'INVALID_ARGUMENT', field });
}

test('a name is on one line and all of it shows', () => {
  expect(checkedName('name', '  nightly 写真 👩‍👩‍👧 ')).toBe('nightly 写真 👩‍👩‍👧');
  expect(checkedName('name', ' ', { optional: true })).toBe('');
  for (const bad of ['', ' ', 'a\0b', 'a\nb', 'a\u001b[31m', 'a\u202eb', 'a\u200bb', 'x'.repeat(201)])
    refused(() => checkedName('name', bad), 'name');
});

test('a text has lines, but no control characters', () => {
  expect(checkedText('comment', ' one\n\ttwo\r\n ')).toBe('one\n\ttwo');
  for (const bad of ['a\0b', 'a\u0007b', 'x'.repeat(2_001)]) refused(() => checkedText('comment', bad), 'comment');
});

test('a NUL is found at any depth, and named', () => {
  refuseNul({ name: 'a', at: new Date(), count: 3, list: ['b'], none: undefined, nothing: null });
  refused(() => refuseNul({ runName: 'a\0' }), 'run_name');
  refused(() => refuseNul({ spec: { inputs: [{ role: 'images' }, { role: '\0' }] } }), 'spec.inputs[1].role');
  refused(() => refuseNul({ requires: { labels: { 'a\0': '1' } } }), 'requires.labels');
});
