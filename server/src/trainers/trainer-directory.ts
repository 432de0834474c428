/** Where trainers are: a fixed list, or the local sidecar, whose port changes when it is restarted. */
export abstract class TrainerDirectory {
  abstract addresses(): string[];

  static fixed(addresses: string[]): TrainerDirectory {
    return { addresses: () => addresses };
  }
}
