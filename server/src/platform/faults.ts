import type { Logger } from '@nestjs/common';
import { messageOf } from './errors.js';

/** What a loop that looks again and again has to say of its looks: each fault once, not at every look, and nothing while closing. */
export class Faults {
  private last = '';

  constructor(
    private readonly logger: Logger,
    private readonly closing: AbortSignal,
  ) {}

  /** One look. Never rejects: the next look tries again. */
  async during(look: Promise<unknown>): Promise<void> {
    try {
      await look;
      this.last = '';
    } catch (error) {
      this.complain(messageOf(error));
    }
  }

  complain(fault: string): void {
    if (fault !== this.last && !this.closing.aborted) this.logger.warn(fault);
    this.last = fault;
  }
}
