import { Logger } from '@nestjs/common';
import { type RunningApp, startApp } from './app.js';
import { type Config, loadConfig } from './platform/config/config.js';
import { EmbeddedPostgres } from './platform/embedded-postgres/embedded-postgres.js';
import { DomainError } from './platform/errors.js';
import { openLogs, PinoLogger } from './platform/logging/logging.js';
import { claimStateFolder } from './platform/processes/state-folder.js';
import { ArtifactStore } from './platform/storage/artifact-store.js';
import { monotonicMs } from './platform/timing.js';
import { LocalSidecar, TrainerDirectory } from './trainers/index.js';

/** What has been opened, to be closed in the opposite order. */
type Closer = () => Promise<void> | void;

process.setSourceMapsEnabled(true);
const logger = new Logger('Server');
const closers: Closer[] = [];
let stopping: Promise<void> | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => onSignal(signal));
process.on('unhandledRejection', (error) => logger.error('unhandled rejection', error));

try {
  await start(loadConfig());
} catch (error) {
  explain(error);
  await stop();
  process.exit(1);
}

async function start(config: Config): Promise<void> {
  const begun = monotonicMs();
  const claim = claimStateFolder(config.state);
  closers.push(() => claim.release());
  Logger.overrideLogger(new PinoLogger(openLogs(config)));

  const store = await ArtifactStore.open(config.store);
  let databaseUrl = config.databaseUrl;
  if (databaseUrl === undefined) {
    const postgres = await EmbeddedPostgres.open({ state: config.state, binaries: config.postgresBinaries });
    closers.push(() => postgres.close());
    databaseUrl = postgres.url;
  }
  let trainers = TrainerDirectory.fixed(config.trainers);
  if (config.trainers.length === 0) {
    const sidecar = new LocalSidecar(config, store.id);
    sidecar.open();
    closers.push(() => sidecar.close());
    trainers = sidecar;
  }
  const running = await startApp({ config, databaseUrl, trainers });
  closers.push(() => running.app.close());
  announce(config, running, begun);
}

function announce({ host, state }: Config, { httpPort, grpcPort }: RunningApp, begun: number): void {
  logger.log(`ready in ${monotonicMs() - begun} ms; state in ${state}`);
  logger.log(`console: http://${host.includes(':') ? `[${host}]` : host}:${httpPort}   gRPC: ${host}:${grpcPort}`);
}

/** The first signal stops everything in order; a second one leaves at once, and what still runs is found by the next start. */
function onSignal(signal: NodeJS.Signals): void {
  if (stopping !== undefined) process.exit(130);
  logger.log(`${signal}: stopping (again to leave at once)`);
  stopping = stop();
  void stopping.then(() => process.exit(0));
}

/** Server, sidecar, Postgres, in this order. */
async function stop(): Promise<void> {
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      logger.error(error);
    }
  }
}

function explain(error: unknown): void {
  if (error instanceof DomainError) {
    process.stderr.write(`${error.message}\n${error.hint === undefined ? '' : `What to do: ${error.hint}\n`}`);
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
}
