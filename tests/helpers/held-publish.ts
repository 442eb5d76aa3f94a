import net from 'node:net';

/** The name of RTMP's publish command as AMF0 writes it: a string of seven bytes. */
const PUBLISH_COMMAND = '\x00\x07publish';

/**
 * A door in front of an RTMP server that lets a publisher in up to its publish command, and holds that back until it
 * is told: then it reaches the server at that very moment, however long the publisher took to get there.
 */
export class HeldPublish {
  /** Where the publisher connects to. */
  readonly port: number;
  /** Resolves when a publisher stands before the door. */
  readonly arrived: Promise<void>;
  #arrive!: () => void;
  #letIn!: () => void;
  readonly #letInNow: Promise<void>;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server, rtmpPort: number) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
    this.arrived = new Promise((resolve) => (this.#arrive = resolve));
    this.#letInNow = new Promise((resolve) => (this.#letIn = resolve));
    server.on('connection', (publisher) => this.#connect(publisher, rtmpPort));
  }

  static async before(rtmpPort: number): Promise<HeldPublish> {
    const server = net.createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HeldPublish(server, rtmpPort);
  }

  letIn(): void {
    this.#letIn();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #connect(publisher: net.Socket, rtmpPort: number): void {
    const server = net.connect({ port: rtmpPort, host: '127.0.0.1', noDelay: true });
    for (const [one, other] of [
      [publisher, server],
      [server, publisher],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    server.pipe(publisher);
    let held: Buffer[] | undefined;
    publisher.on('data', (bytes: Buffer) => {
      if (held) held.push(bytes);
      else if (bytes.includes(PUBLISH_COMMAND)) held = this.#hold(bytes, server, () => (held = undefined));
      else server.write(bytes);
    });
  }

  #hold(bytes: Buffer, server: net.Socket, over: () => void): Buffer[] {
    const held = [bytes];
    this.#arrive();
    void this.#letInNow.then(() => {
      over();
      server.write(Buffer.concat(held));
    });
    return held;
  }
}
