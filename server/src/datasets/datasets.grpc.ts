import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type DatasetServiceServer, DatasetServiceService } from '../gen/stic/datasets/v1/datasets.js';
import { GrpcServer, serverStream, unary } from '../platform/transport/grpc-server.js';
import { DatasetsService } from './datasets.service.js';

@Injectable()
export class DatasetsGrpc implements OnModuleInit {
  constructor(
    private readonly server: GrpcServer,
    private readonly datasets: DatasetsService,
  ) {}

  onModuleInit(): void {
    const { datasets } = this;
    const implementation: DatasetServiceServer = {
      createDataset: unary((request) => datasets.create(request)),
      refreshDataset: unary((request) => datasets.refresh(request)),
      getDataset: unary((request) => datasets.get(request)),
      listDatasets: unary((request) => datasets.list(request)),
      watchDataset: serverStream((request, signal) => datasets.watch(request, signal)),
      listDatasetItems: unary((request) => datasets.listItems(request)),
      listDatasetProblems: unary((request) => datasets.listProblems(request)),
    };
    this.server.add(DatasetServiceService, implementation);
  }
}
