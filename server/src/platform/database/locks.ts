/** Keys of the advisory locks. Whoever locks on one database shares one space of keys, so they are all here. */
export const advisoryLock = {
  /** Pending migrations run one server at a time. */
  migrations: 7_420_001,
  /** Held shared by who needs the store's files to stay (a backup), exclusively by who removes some. */
  files: 7_420_002,
  /** Stages are placed on trainers one after the other. */
  placement: 7_420_003,
} as const;
