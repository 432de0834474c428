import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule, type AppOptions } from './app.module.js';
import { DomainError, messageOf } from './platform/errors.js';
import { serveConsole } from './platform/http/console.js';
import { inCallersName, jsonOnly, sameSiteOnly, securityHeaders } from './platform/http/protection.js';
import { HttpErrors } from './platform/transport/http-errors.js';
import { GrpcServer } from './platform/transport/grpc-server.js';

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
  app.use(securityHeaders, sameSiteOnly(config.host), jsonOnly);
  app.useBodyParser('json', { limit: LARGEST_BODY });
  app.use(inCallersName);
  app.useGlobalFilters(new HttpErrors());
  serveConsole(app, config.paths.console);
  try {
    await app.listen(config.httpPort, config.host);
  } catch (error) {
    await app.close().catch(() => undefined);
    throw listenError(error, `${config.host}:${config.httpPort}`);
  }
  const address: unknown = app.getHttpServer().address();
  return { app, httpPort: portOf(address) ?? config.httpPort, grpcPort: app.get(GrpcServer).port };
}

function listenError(error: unknown, address: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return error;
  const why = code === 'EADDRINUSE' ? 'another program uses it' : messageOf(error);
  return new DomainError('FAILED_PRECONDITION', `The console cannot listen on ${address}: ${why}.`, {
    hint: code === 'EADDRNOTAVAIL' ? 'Set STIC_HOST to an address of this machine.' : 'Set STIC_HTTP_PORT to a free port.',
  });
}

const portOf = (address: unknown): number | undefined =>
  typeof address === 'object' && address !== null && 'port' in address && typeof address.port === 'number' ? address.port : undefined;
