import { isId } from '../../platform/pages.js';
import type { Tools } from './attempt-watch.js';

/**
 * Stops jobs that trainers still work on although their attempt has ended here: given up as lost, or cancelled while the trainer
 * could not be reached. Jobs this database does not know are somebody else's.
 */
export async function sweep({ db, trainers }: Tools): Promise<void> {
  const active = (await trainers.list()).flatMap(({ address, info }) =>
    (info?.activeJobIds ?? []).filter(isId).map((id) => ({ address, id })),
  );
  if (active.length === 0) return;
  const ended = await db.query<{ id: string }[]>('SELECT id FROM attempt WHERE id = ANY($1) AND ended_at IS NOT NULL', [
    active.map((job) => job.id),
  ]);
  const stale = new Set(ended.map((attempt) => attempt.id));
  for (const job of active) if (stale.has(job.id)) await trainers.cancelJob(job.address, job.id);
}
