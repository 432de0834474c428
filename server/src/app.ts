import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule, type AppOptions } from './app.module.js';
import { GrpcDoor } from './platform/api/grpc-door.js';
import { serveConsole } from './platform/http/console.js';
import { inCallersName, jsonOnly, sameSiteOnly, securityHeaders } from './platform/http/protection.js';
import { CONSOLE, listenFault } from './platform/transport/addresses.js';
import { HttpErrors } from './platform/transport/http-errors.js';

const LARGEST_BODY = '1mb';

export type RunningApp = { app: NestExpressApplication; httpPort: number; grpcPort: number };

/** Builds the application, migrates the database and listens on both ports. */
export async function startApp(options: AppOptions): Promise<RunningApp> {
  const { config } = options;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.register(options), {
    bodyParser: false,
    bufferLogs: false,
    abortOnError: false,
    // Watchers hold their connections open for as long as they look.
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(inCallersName, securityHeaders, sameSiteOnly(config.host), jsonOnly);
  app.useBodyParser('json', { limit: LARGEST_BODY });
  app.useGlobalFilters(new HttpErrors());
  serveConsole(app, config.paths.console);
  try {
    await app.listen(config.httpPort, config.host);
  } catch (error) {
    await app.close().catch(() => undefined);
    throw isListenFault(error) ? listenFault(error, config.host, config.httpPort, CONSOLE) : error;
  }
  const address: unknown = app.getHttpServer().address();
  return { app, httpPort: portOf(address) ?? config.httpPort, grpcPort: app.get(GrpcDoor).port };
}

const isListenFault = (error: unknown): boolean => error instanceof Error && 'syscall' in error && error.syscall === 'listen';

const portOf = (address: unknown): number | undefined =>
  typeof address === 'object' && address !== null && 'port' in address && typeof address.port === 'number' ? address.port : undefined;
