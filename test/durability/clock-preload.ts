// Loaded into a server before its own code: moves its wall clock by the milliseconds that the file TEST_CLOCK holds at that moment.
import { readFileSync } from 'node:fs';

const file = process.env['TEST_CLOCK'] ?? '';
const RealDate = Date;
const now = (): number => RealDate.now() + Number(readFileSync(file, 'utf8'));

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[], newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
});
