import { invalid, messageOf } from '../errors.js';

/** What ts-proto generates for a message. */
export type MessageCodec<T> = { fromJSON(object: unknown): T; toJSON(message: T): unknown; fromPartial(object: object): T };

const snake = (name: string): string => name.replaceAll(/([A-Z])/g, '_$1').toLowerCase();

/** Reads a request from a JSON body, query parameters or path parameters; unknown and ill-formed fields are named. */
export function parseMessage<T extends object>(codec: MessageCodec<T>, ...sources: unknown[]): T {
  const fields: Record<string, unknown> = {};
  for (const source of sources) {
    if (source === undefined || source === null) continue;
    if (typeof source !== 'object' || Array.isArray(source)) throw invalid('body', 'The request must be a JSON object.');
    Object.assign(fields, source);
  }
  const known = new Set(Object.keys(codec.fromPartial({})).map(snake));
  for (const field of Object.keys(fields)) {
    if (!known.has(field)) throw invalid(field, `${field} is not a field of this request.`, `Fields are: ${[...known].join(', ')}.`);
  }
  let message: T;
  try {
    message = codec.fromJSON(fields);
  } catch (error) {
    throw invalid('body', `The request cannot be read: ${messageOf(error)}`);
  }
  for (const [name, value] of Object.entries(message)) {
    if (value === 'UNRECOGNIZED') throw invalid(snake(name), `${String(fields[snake(name)])} is not a value of ${snake(name)}.`);
    if (typeof value === 'number' && Number.isNaN(value)) throw invalid(snake(name), `${snake(name)} must be a number.`);
  }
  return message;
}
