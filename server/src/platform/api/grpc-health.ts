import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { DataSource } from 'typeorm';
import { pause } from '../timing.js';

const EVERY_MS = 2_000;

/** The standard health service: every service is SERVING as long as the database answers; an unknown name is NOT_FOUND. */
@Injectable()
export class GrpcHealth {
  private readonly stopping = new AbortController();
  private readonly health = new HealthImplementation();
  private names: string[] = [];

  constructor(@InjectDataSource() private readonly db: DataSource) {}

  addTo(server: Server, services: string[]): void {
    this.names = ['', ...services];
    this.tell('SERVING');
    this.health.addToServer(server);
    void this.watchDatabase();
  }

  stop(): void {
    this.stopping.abort();
    this.tell('NOT_SERVING');
  }

  /** Once it stops, it stays NOT_SERVING. */
  private tell(status: 'SERVING' | 'NOT_SERVING'): void {
    if (this.stopping.signal.aborted && status === 'SERVING') return;
    for (const name of this.names) this.health.setStatus(name, status);
  }

  private async watchDatabase(): Promise<void> {
    const { signal } = this.stopping;
    let serving = true;
    while (!signal.aborted) {
      const answers = await this.db.query('SELECT 1').then(
        () => true,
        () => false,
      );
      if (answers !== serving) this.tell(answers ? 'SERVING' : 'NOT_SERVING');
      serving = answers;
      await pause(EVERY_MS, signal);
    }
  }
}
