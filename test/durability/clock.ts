import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Product } from '../support/product.js';

const preload = fileURLToPath(new URL('./clock-preload.js', import.meta.url));

/**
 * The wall clock of the database and of the servers started with `environment`, as a change of the host's clock would move it. Both
 * read the moved time wherever they ask for the time; what counts durations is left alone, as it is on a real host.
 */
export class MovableClock {
  private readonly file: string;

  private constructor(private readonly product: Product) {
    this.file = path.join(product.folder, 'clock');
  }

  /** Servers that run already keep the real clock until they are started again. */
  static async install(product: Product): Promise<MovableClock> {
    const statements = [
      'CREATE SCHEMA clock',
      'CREATE TABLE clock.ahead AS SELECT 0::bigint AS ms',
      ...[
        ['now', 'STABLE'],
        ['clock_timestamp', 'VOLATILE'],
      ].map(
        ([name, kind]) => `CREATE FUNCTION clock.${name}() RETURNS timestamptz LANGUAGE sql ${kind} AS
           'SELECT pg_catalog.${name}() + ms * interval ''1 millisecond'' FROM clock.ahead'`,
      ),
      // Where pg_catalog is named last, a function of the same name in an earlier schema is the one that is called.
      'ALTER DATABASE stic SET search_path = public, clock, pg_catalog',
    ];
    for (const statement of statements) await product.query(statement, []);
    const clock = new MovableClock(product);
    await clock.set(0);
    return clock;
  }

  get environment(): Record<string, string> {
    return { NODE_OPTIONS: `--import=${pathToFileURL(preload).href}`, TEST_CLOCK: this.file };
  }

  /** From now on the time is this many milliseconds ahead of the real one; less than before is a jump back. */
  async set(aheadMs: number): Promise<void> {
    writeFileSync(this.file, String(aheadMs));
    await this.product.query('UPDATE clock.ahead SET ms = $1', [aheadMs]);
  }
}
