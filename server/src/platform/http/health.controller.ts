import { Controller, Get } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { DomainError } from '../errors.js';

@Controller('api/health')
export class HealthController {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /** Live when it answers at all, ready when the database does. */
  @Get()
  async health(): Promise<{ live: true; ready: true }> {
    try {
      await this.database.query('SELECT 1');
    } catch (error) {
      throw new DomainError('UNAVAILABLE', 'The database does not answer.', { cause: error });
    }
    return { live: true, ready: true };
  }
}
