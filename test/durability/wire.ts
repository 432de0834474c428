import { once } from 'node:events';
import net from 'node:net';

type Link = { readonly near: net.Socket; readonly far: net.Socket };

/** A network to one port of this machine: a relay that can fall silent, be cut and be mended. */
export class Wire {
  private readonly links = new Set<Link>();
  private readonly listener = net.createServer({ pauseOnConnect: true }, (near) => this.connect(near));
  private silent = false;
  private port = 0;

  private constructor(private readonly target: string) {}

  /** target: host:port. */
  static async to(target: string): Promise<Wire> {
    const wire = new Wire(target);
    await wire.mend();
    return wire;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Nothing gets through any more and nobody is told: what a pulled cable looks like. */
  fallSilent(): void {
    this.silent = true;
    for (const { near, far } of this.links) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  /** Every connection is reset and new ones are refused: what a host that is gone looks like. */
  async cut(): Promise<void> {
    this.listener.close();
    for (const { near, far } of this.links) {
      near.resetAndDestroy();
      far.destroy();
    }
    if (this.listener.listening) await once(this.listener, 'close');
  }

  /** As new; what was on its way through a silent wire arrives. */
  async mend(): Promise<void> {
    this.silent = false;
    for (const link of this.links) join(link);
    if (this.listener.listening) return;
    this.listener.listen(this.port, '127.0.0.1');
    await once(this.listener, 'listening');
    this.port = (this.listener.address() as net.AddressInfo).port;
  }

  private connect(near: net.Socket): void {
    const [host, port] = this.target.split(':');
    const link = { near, far: net.connect(Number(port), host) };
    this.links.add(link);
    for (const [one, other] of [
      [link.near, link.far],
      [link.far, link.near],
    ] as const) {
      // Its end says all that there is to do.
      one.on('error', () => undefined);
      one.on('close', () => {
        this.links.delete(link);
        other.destroy();
      });
    }
    if (!this.silent) join(link);
  }
}

function join({ near, far }: Link): void {
  near.pipe(far);
  far.pipe(near);
}
