import path from 'node:path';
import { Logger } from '@nestjs/common';
import { type RunningApp, startApp } from './app.js';
import { helpOf } from './cli/help.js';
import { type Config, loadConfig } from './platform/config/config.js';
import { EmbeddedPostgres } from './platform/embedded-postgres/embedded-postgres.js';
import { DomainError } from './platform/errors.js';
import { openLogs, PinoLogger } from './platform/logging/logging.js';
import { usableFolder } from './platform/path-faults.js';
import { printable } from './platform/printable.js';
import { claimStateFolder } from './platform/processes/state-folder.js';
import { explainStart } from './platform/start-fault.js';
import { ArtifactStore } from './platform/storage/artifact-store.js';
import { monotonicMs } from './platform/timing.js';
import { assertFree, authority, CONSOLE, GRPC } from './platform/transport/addresses.js';
import { LocalSidecar, TrainerDirectory } from './trainers/index.js';

/** What has been opened, to be closed in the opposite order. */
type Closer = () => Promise<void> | void;

process.setSourceMapsEnabled(true);
const logger = new Logger('Server');
const closers: Closer[] = [];
let stopping: Promise<void> | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => onSignal(signal));
process.on('unhandledRejection', (error) => logger.error('unhandled rejection', error));

let logged: Config | undefined;
try {
  checkArguments(process.argv.slice(2));
  await start(loadConfig());
} catch (error) {
  explainStart(error, logged);
  await stop();
  process.exit(1);
}

/** `--help` ends here; there are no other arguments. */
function checkArguments(args: string[]): void {
  if (args.includes('--help')) {
    process.stdout.write(`${helpOf('start')}\n`);
    process.exit(0);
  }
  const [unknown] = args;
  if (unknown === undefined) return;
  throw new DomainError('INVALID_ARGUMENT', `Unknown argument "${printable(unknown)}": the server is set up by environment variables.`, {
    hint: '`npm start -- --help` lists them.',
  });
}

async function start(config: Config): Promise<void> {
  const begun = monotonicMs();
  const claim = claimStateFolder(config.state);
  closers.push(() => claim.release());
  usableFolder(path.join(config.state, 'logs'), 'STIC_STATE');
  usableFolder(config.store, 'STIC_STORE');
  Logger.overrideLogger(new PinoLogger(openLogs(config)));
  logged = config;
  // Found out before the slower parts start.
  await assertFree(config.host, config.httpPort, CONSOLE);
  await assertFree(config.host, config.grpcPort, GRPC);

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
  claim.announce(running.httpPort, running.grpcPort);
  announce(config, running, begun);
}

function announce({ host, state }: Config, { httpPort, grpcPort }: RunningApp, begun: number): void {
  logger.log(`ready in ${monotonicMs() - begun} ms; state in ${state}`);
  logger.log(`console: http://${authority(host, httpPort)}   gRPC: ${authority(host, grpcPort)}`);
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
