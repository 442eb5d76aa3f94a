import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** An answer of the fake: a status, JSON, and headers. */
export interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
}

/** One connection to the audio door, as the fake saw it. */
export class SeenConnection {
  hello: Record<string, unknown> | undefined;
  readonly chunks: Buffer[] = [];
  #acknowledged = 0;

  constructor(readonly socket: WebSocket) {}

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  say(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Acknowledges up to `bytes` of this connection; all that came, without a number. */
  acknowledge(bytes = this.received.length, bufferedMs = 0): void {
    this.#acknowledged = Math.max(bytes, this.#acknowledged);
    this.say({ type: 'ack', accepted: this.#acknowledged, bufferedMs });
  }
}

/**
 * A relay that does what a test tells it: for what the real one does only when something is wrong. HTTP answers come
 * from `onRequest`, the audio door tells `onChunk` of each message.
 */
export class FakeRelay {
  readonly requests: SeenRequest[] = [];
  /** Of every request and every upgrade, in turn. */
  readonly authorizations: (string | undefined)[] = [];
  readonly connections: SeenConnection[] = [];
  onRequest: (request: SeenRequest) => Answer | undefined = () => undefined;
  /** Instead of JSON, an answer by hand: for streams. */
  onStream: ((path: string, response: http.ServerResponse) => boolean) | undefined;
  onChunk: (connection: SeenConnection, chunk: Buffer) => void = (connection) => connection.acknowledge();
  /** What the door says, on a new connection, that it has taken in all. */
  readySequence: () => number | undefined = () => undefined;
  onEvents: (socket: WebSocket) => void = () => undefined;
  readonly #watchers: WebSocket[] = [];
  readonly #server: http.Server;
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor() {
    this.#server = http.createServer((request, response) => void this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      this.authorizations.push(request.headers.authorization);
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (!request.url?.includes('/events')) return this.#audio(webSocket);
        this.#watchers.push(webSocket);
        this.onEvents(webSocket);
      });
    });
  }

  static async start(): Promise<FakeRelay> {
    const relay = new FakeRelay();
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The requests for a path that ends so. */
  asked(end: string): SeenRequest[] {
    return this.requests.filter(({ path }) => path.endsWith(end));
  }

  /** Away, as while it is restarted: connections break, and the port answers again after `meanwhile`. */
  async restart(meanwhile: () => Promise<unknown>): Promise<void> {
    const { port } = this;
    await this.close();
    await meanwhile();
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #audio(socket: WebSocket): void {
    const connection = new SeenConnection(socket);
    this.connections.push(connection);
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        connection.chunks.push(data);
        this.onChunk(connection, data);
        return;
      }
      connection.hello = JSON.parse(data.toString()) as Record<string, unknown>;
      connection.say({ type: 'ready', sequence: this.readySequence() });
    });
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const body = Buffer.concat(await request.toArray());
    const seen = { method: request.method ?? '', path: url.pathname, query: url.searchParams, body };
    this.requests.push(seen);
    this.authorizations.push(request.headers.authorization);
    if (this.onStream?.(url.pathname, response)) return;
    const { status = 200, json = { success: true }, headers = {} } = this.onRequest(seen) ?? {};
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(json));
    if (!url.pathname.endsWith('/end')) return;
    for (const watcher of this.#watchers) watcher.send(JSON.stringify({ type: 'state', state: 'ended' }));
  }
}
