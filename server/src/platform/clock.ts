import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** The one place schedules have the time from. */
export abstract class Clock {
  abstract now(): Promise<Date>;
}

/** The database's clock: all servers on one database agree on it, whatever their own clocks say. */
@Injectable()
export class DatabaseClock extends Clock {
  constructor(private readonly db: DataSource) {
    super();
  }

  async now(): Promise<Date> {
    const [row] = await this.db.query<{ now: Date }[]>(`SELECT date_trunc('milliseconds', clock_timestamp()) AS now`);
    if (!row) throw new Error('the database does not tell the time');
    return row.now;
  }
}
