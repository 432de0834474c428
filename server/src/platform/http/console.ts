import { existsSync } from 'node:fs';
import path from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';

/** First parts of the console's addresses; `routes.tsx` there has the rest. */
const PAGES = new Set(['', 'runs', 'schedules', 'datasets', 'checkpoints', 'champion', 'trainers', 'webhooks']);

/**
 * Serves the built console: hashed assets for ever, and index.html, always asked for again, for each of its own addresses. At an
 * address that is none, a browser gets the console's page for it with status 404, and everyone else the error of the API.
 */
export function serveConsole(app: NestExpressApplication, folder: string): void {
  const assets = path.join(folder, 'assets') + path.sep;
  app.useStaticAssets(folder, {
    index: false,
    setHeaders: (response: Response, file: string) =>
      response.set('Cache-Control', file.startsWith(assets) ? 'public, max-age=31536000, immutable' : 'no-cache'),
  });
  app.use((request: Request, response: Response, next: NextFunction) => {
    const asksForPage = (request.method === 'GET' || request.method === 'HEAD') && !SERVERS.has(firstPart(request));
    const known = PAGES.has(firstPart(request));
    if (!asksForPage || !(known || isBrowser(request)) || !existsSync(path.join(folder, 'index.html'))) {
      next();
      return;
    }
    response.status(known ? 200 : 404).set('Cache-Control', 'no-cache');
    response.sendFile('index.html', { root: folder, cacheControl: false });
  });
}

/** Never a page. */
const SERVERS = new Set(['api', 'assets', 'openapi.json']);

const firstPart = ({ path: address }: Request): string => address.split('/')[1] ?? '';

const isBrowser = ({ headers }: Request): boolean => headers.accept?.includes('text/html') ?? false;
