import { Controller, Get } from '@nestjs/common';
import { GetInfoResponse } from '../gen/stic/trainer/v1/trainer.js';
import { TrainerPool } from './trainer-pool.js';

@Controller('api/trainers')
export class TrainersController {
  constructor(private readonly trainers: TrainerPool) {}

  @Get()
  async list(): Promise<unknown> {
    const statuses = await this.trainers.list();
    return {
      trainers: statuses.map(({ address, info, problem }) => ({
        address,
        healthy: info !== undefined,
        ...(problem === undefined ? {} : { problem: problem.message, ...(problem.hint === undefined ? {} : { hint: problem.hint }) }),
        ...(info === undefined ? {} : { info: GetInfoResponse.toJSON(info) }),
      })),
    };
  }
}
