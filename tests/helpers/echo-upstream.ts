import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** An HTTP server behind a proxy under test: remembers what reached it, and answers as it is told. */
export class EchoUpstream {
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly headers: http.IncomingHttpHeaders;
  }[] = [];
  /** How it answers; with 200 and nothing more, unless told. */
  answer: (req: http.IncomingMessage, res: http.ServerResponse) => void = (_req, res) => void res.end();
  readonly #server = http.createServer((req, res) => {
    this.requests.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers });
    this.answer(req, res);
  });
  readonly #sockets = new Set<Socket>();

  /** Takes connections from then on. */
  static async start(): Promise<EchoUpstream> {
    const upstream = new EchoUpstream();
    upstream.#server.on('connection', (socket) => {
      upstream.#sockets.add(socket);
      socket.once('close', () => upstream.#sockets.delete(socket));
    });
    upstream.#server.on('upgrade', (req, socket) => {
      upstream.requests.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers });
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    });
    await new Promise<void>((resolve) => upstream.#server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Hangs up on everybody, also in the middle of an answer. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
