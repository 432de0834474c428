import { newRequestId } from './request-id.js';

test('is a UUID of version 4, another one each time', () => {
  const [one, other] = [newRequestId(), newRequestId()];
  for (const id of [one, other]) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(one).not.toBe(other);
});
