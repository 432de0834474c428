import path from 'node:path';
import { z } from 'zod';
import { DomainError } from '../errors.js';
import { repositoryRoot } from './repository.js';

/** Everything the server is told from outside, parsed once. */
export type Config = {
  /** The one state folder. */
  state: string;
  /** Artifact store shared with the trainers. */
  store: string;
  /** A Postgres >= 15; undefined for the embedded one. */
  databaseUrl: string | undefined;
  /** Trainer addresses (host:port); empty for one local sidecar. */
  trainers: string[];
  host: string;
  /** 0 picks a free port. */
  httpPort: number;
  grpcPort: number;
  /** Folder of Postgres binaries to use in place of the npm package's. */
  postgresBinaries: string | undefined;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Folders that links in datasets may lead into, for the local sidecar. */
  dataRoots: string[];
  /** Seals secrets in the database; undefined for a key of the state folder's own. */
  secretKey: Buffer | undefined;
  /** Webhooks may go to addresses that are not public. */
  webhooksAllowPrivate: boolean;
  paths: RepositoryPaths;
};

export type RepositoryPaths = {
  root: string;
  recipes: string;
  prompts: string;
  /** The built console. */
  console: string;
  trainer: string;
  /** Python of the trainer's virtual environment. */
  python: string;
};

/** Injection token of `Config`. */
export const CONFIG = Symbol('CONFIG');

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be at most 65535');
const address = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/, 'must be host:port, separated by commas');
const optionalText = z
  .string()
  .trim()
  .optional()
  .transform((text) => (text === '' ? undefined : text));

/**
 * The server's environment variables. `npm run docs` writes docs/reference/configuration.md and `npm start -- --help` from the
 * descriptions; `default` is the text that an unset variable stands for, `otherwise` says in words what happens without one.
 */
export const environmentSchema = z.object({
  STIC_STATE: optionalText.meta({
    description: 'state folder: database, artifacts, jobs and logs',
    otherwise: '.stic in the repository',
  }),
  STIC_STORE: optionalText.meta({
    description: 'artifact store, shared with the trainers',
    otherwise: 'store in the state folder',
  }),
  STIC_HOST: optionalText
    // An IPv6 address may come in the brackets of a URL.
    .transform((text) => (text ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'))
    .meta({
      description: 'address to listen on; there is no login, so keep other addresses than loopback in a private network',
      default: '127.0.0.1',
    }),
  STIC_HTTP_PORT: optionalText
    .transform((text) => text ?? '7420')
    .pipe(port)
    .meta({ description: 'port of console and HTTP API; 0 takes a free one', default: '7420' }),
  STIC_GRPC_PORT: optionalText
    .transform((text) => text ?? '7421')
    .pipe(port)
    .meta({ description: 'port of the gRPC API; 0 takes a free one', default: '7421' }),
  DATABASE_URL: optionalText
    .pipe(
      z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'must start with postgres://')
        .optional(),
    )
    .meta({ description: 'a Postgres 15 or newer, postgres://...', otherwise: 'an embedded Postgres in the state folder' }),
  TRAINERS: optionalText
    .transform((text) => (text ?? '').split(',').flatMap((part) => part.trim() || []))
    .pipe(z.array(address))
    .meta({ description: 'trainers as host:port, separated by commas', otherwise: 'one local trainer' }),
  STIC_DATA_ROOTS: optionalText
    .transform((text) => (text ?? '').split(':').flatMap((part) => part.trim() || []))
    .pipe(z.array(z.string().startsWith('/', 'must be absolute folders, separated by colons')))
    .meta({
      description: 'absolute folders, separated by colons, that symbolic links in datasets may lead into; also read by trainers',
      otherwise: 'none',
    }),
  STIC_LOG_LEVEL: optionalText
    .transform((text) => text ?? 'info')
    .pipe(z.enum(['debug', 'info', 'warn', 'error']))
    .meta({ description: 'debug, info, warn or error', default: 'info' }),
  STIC_SECRET_KEY: optionalText
    .transform((text) => (text === undefined ? undefined : Buffer.from(text, 'base64')))
    .refine((key) => key === undefined || key.length === 32, 'must be 32 bytes in base64')
    .meta({
      description: 'key that encrypts secrets in the database, 32 bytes in base64; the same for all servers of one database',
      otherwise: 'secret-key in the state folder, generated when first needed',
    }),
  STIC_WEBHOOKS_ALLOW_PRIVATE: optionalText
    .transform((text) => text ?? '0')
    .pipe(z.enum(['0', '1']))
    .meta({ description: '1: webhooks may go to private addresses', default: '0' }),
  PG_BIN: optionalText.meta({
    description: 'folder of the Postgres programs that the embedded database runs',
    otherwise: 'those of the npm package',
  }),
});

/** Variables that only trainers read; a local trainer inherits them from the server. Documented with the server's own. */
export const trainerEnvironment = z.object({
  STIC_THREADS: optionalText.meta({
    description: 'CPU threads of each process of a job',
    otherwise: "the machine's cores divided by the processes of the job",
  }),
  STIC_PROCESSES: optionalText.meta({
    description: 'processes that share a job on one host',
    otherwise: 'one for each GPU, or one without a GPU',
  }),
  STIC_COMMIT: optionalText.meta({
    description: 'commit that a trainer records with what it produces',
    otherwise: 'taken from git',
  }),
});

/** Parses the environment; a bad value is named with the variable, never with its content (it may hold a password). */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`);
    throw new DomainError('INVALID_ARGUMENT', `The environment is not valid. ${faults.join('; ')}`);
  }
  const values = parsed.data;
  const paths = repositoryPaths();
  const state = path.resolve(values.STIC_STATE ?? path.join(paths.root, '.stic'));
  return {
    state,
    store: path.resolve(values.STIC_STORE ?? path.join(state, 'store')),
    databaseUrl: values.DATABASE_URL,
    trainers: values.TRAINERS,
    host: values.STIC_HOST,
    httpPort: values.STIC_HTTP_PORT,
    grpcPort: values.STIC_GRPC_PORT,
    postgresBinaries: values.PG_BIN,
    logLevel: values.STIC_LOG_LEVEL,
    dataRoots: values.STIC_DATA_ROOTS,
    secretKey: values.STIC_SECRET_KEY,
    webhooksAllowPrivate: values.STIC_WEBHOOKS_ALLOW_PRIVATE === '1',
    paths,
  };
}

/** Variables of our environment for a child process. */
export function inheritedEnvironment(wanted: (name: string) => boolean): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted(name)));
}

function repositoryPaths(): RepositoryPaths {
  const root = repositoryRoot();
  const trainer = path.join(root, 'trainer-py');
  return {
    root,
    recipes: path.join(root, 'recipes'),
    prompts: path.join(root, 'prompts'),
    console: path.join(root, 'console/dist'),
    trainer,
    python: path.join(trainer, '.venv/bin/python'),
  };
}
