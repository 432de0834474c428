import { existsSync } from 'node:fs';
import path from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';

/** Serves the built console: hashed assets for ever, and index.html, always asked for again, for each of its own addresses. */
export function serveConsole(app: NestExpressApplication, folder: string): void {
  const assets = path.join(folder, 'assets') + path.sep;
  app.useStaticAssets(folder, {
    index: false,
    setHeaders: (response: Response, file: string) =>
      response.set('Cache-Control', file.startsWith(assets) ? 'public, max-age=31536000, immutable' : 'no-cache'),
  });
  app.use((request: Request, response: Response, next: NextFunction) => {
    const isPage = (request.method === 'GET' || request.method === 'HEAD') && isConsoleAddress(request.path);
    if (!isPage || !existsSync(path.join(folder, 'index.html'))) {
      next();
      return;
    }
    response.set('Cache-Control', 'no-cache');
    response.sendFile('index.html', { root: folder, cacheControl: false });
  });
}

const isConsoleAddress = (address: string): boolean =>
  address !== '/api' && !address.startsWith('/api/') && !address.startsWith('/assets/');
