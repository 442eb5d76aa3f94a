import { once } from 'node:events';
import net from 'node:net';
import { freePort } from '../../helpers/free-port';
import { Lane, type LaneFaults } from './lane';

/** `up`: from who connects to the server; `down`: back. */
export type Direction = 'up' | 'down';

/** What is wrong with a direction, or with both. */
export type ProxyFaults = Partial<Record<Direction, LaneFaults>>;

interface Link {
  readonly client: net.Socket;
  readonly server: net.Socket;
  readonly lanes: Record<Direction, Lane>;
}

/**
 * A network that fails when told to, between somebody who connects and a server on loopback: late, unsteady, slow, in
 * slices, silent, cut, or closed on one side. What is set holds for connections there are and those that come.
 */
export class TcpProxy {
  readonly port: number;
  /** Connections accepted so far. */
  accepted = 0;
  readonly #server: net.Server;
  /** The server: its port on 127.0.0.1, or the path of a Unix socket. It need not listen yet. */
  target: number | string;
  readonly #links = new Set<Link>();
  #faults: ProxyFaults = {};

  private constructor(server: net.Server, port: number, target: number | string) {
    this.#server = server;
    this.port = port;
    this.target = target;
    server.on('connection', (client) => this.#connect(client));
  }

  /** @param target see there */
  static async start(target: number | string): Promise<TcpProxy> {
    const server = net.createServer({ allowHalfOpen: true });
    const port = await freePort();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, port, target);
  }

  /** Connections that stand. */
  get open(): number {
    return this.#links.size;
  }

  /** Bytes handed on so far over all connections, those that are gone included. */
  readonly bytes: Record<Direction, number> = { up: 0, down: 0 };

  /** From now on this is wrong; what is not named is right again. */
  set(faults: ProxyFaults): void {
    this.#faults = faults;
    for (const { lanes } of this.#links) {
      lanes.up.set(faults.up ?? {});
      lanes.down.set(faults.down ?? {});
    }
  }

  /** This is wrong with connections that stand now, of everybody or of one client's port; those that come are well. */
  setStanding(faults: ProxyFaults, clientPort?: number): void {
    for (const { lanes } of this.#of(clientPort)) {
      lanes.up.set(faults.up ?? {});
      lanes.down.set(faults.down ?? {});
    }
  }

  /** All is well again; what waited goes on. */
  heal(): void {
    this.set({});
  }

  /** Resets connections (RST), on both sides: all, or that of one client's port. @returns how many */
  reset(clientPort?: number): number {
    const links = this.#of(clientPort);
    for (const { client, server } of links) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return links.length;
  }

  /** Ends one direction of connections, as a peer does that has nothing more to say (FIN). @returns how many */
  halfClose(direction: Direction, clientPort?: number): number {
    const links = this.#of(clientPort);
    for (const { lanes } of links) lanes[direction].end();
    return links.length;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }

  #of(clientPort: number | undefined): Link[] {
    return [...this.#links].filter(
      ({ client }) => clientPort === undefined || client.remotePort === clientPort,
    );
  }

  #connect(client: net.Socket): void {
    this.accepted += 1;
    const server = net.connect({ ...address(this.target), allowHalfOpen: true });
    client.setNoDelay(true);
    server.setNoDelay(true);
    const count = (direction: Direction) => (bytes: number) => (this.bytes[direction] += bytes);
    const lanes = {
      up: new Lane(client, server, count('up')),
      down: new Lane(server, client, count('down')),
    };
    const link: Link = { client, server, lanes };
    this.#links.add(link);
    lanes.up.set(this.#faults.up ?? {});
    lanes.down.set(this.#faults.down ?? {});
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        if (!socket.readableEnded) other.destroy();
        if (client.destroyed && server.destroyed) this.#links.delete(link);
        lanes.up.stop();
        lanes.down.stop();
      });
    }
  }
}

function address(target: number | string): net.NetConnectOpts {
  return typeof target === 'string' ? { path: target } : { port: target, host: '127.0.0.1' };
}
