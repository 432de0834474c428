import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { Response } from 'express';
import {
  CreateDatasetRequest,
  Dataset,
  GetDatasetRequest,
  ListDatasetItemsRequest,
  ListDatasetItemsResponse,
  ListDatasetProblemsRequest,
  ListDatasetProblemsResponse,
  ListDatasetsRequest,
  ListDatasetsResponse,
  RefreshDatasetRequest,
  WatchDatasetRequest,
} from '../gen/stic/datasets/v1/datasets.js';
import { parseMessage } from '../platform/transport/messages.js';
import { sendEvents } from '../platform/transport/sse.js';
import { DatasetsService } from './datasets.service.js';

@Controller('api/datasets')
export class DatasetsController {
  constructor(private readonly datasets: DatasetsService) {}

  @Post()
  async create(@Body() body: unknown): Promise<unknown> {
    return Dataset.toJSON(await this.datasets.create(parseMessage(CreateDatasetRequest, body)));
  }

  @Get()
  async list(@Query() query: unknown): Promise<unknown> {
    return ListDatasetsResponse.toJSON(await this.datasets.list(parseMessage(ListDatasetsRequest, query)));
  }

  @Get(':dataset_id')
  async get(@Param() path: unknown): Promise<unknown> {
    return Dataset.toJSON(await this.datasets.get(parseMessage(GetDatasetRequest, path)));
  }

  @Post(':dataset_id/refresh')
  @HttpCode(200)
  async refresh(@Param() path: unknown, @Body() body: unknown): Promise<unknown> {
    return Dataset.toJSON(await this.datasets.refresh(parseMessage(RefreshDatasetRequest, body, path)));
  }

  @Get(':dataset_id/items')
  async items(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return ListDatasetItemsResponse.toJSON(await this.datasets.listItems(parseMessage(ListDatasetItemsRequest, query, path)));
  }

  @Get(':dataset_id/problems')
  async problems(@Param() path: unknown, @Query() query: unknown): Promise<unknown> {
    return ListDatasetProblemsResponse.toJSON(await this.datasets.listProblems(parseMessage(ListDatasetProblemsRequest, query, path)));
  }

  @Get(':dataset_id/watch')
  watch(@Param() path: unknown, @Res() response: Response): Promise<void> {
    const request = parseMessage(WatchDatasetRequest, path);
    return sendEvents(
      response,
      (dataset: Dataset) => Dataset.toJSON(dataset),
      (signal) => this.datasets.watch(request, signal),
    );
  }
}
