import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a hook gets for an answer; `{"code":0}` with status 200, at once, unless told. */
export interface HookAnswer {
  readonly status?: number;
  readonly body?: string;
  readonly afterMs?: number;
}

/** One callback as SRS sent it. */
export interface HookCall {
  readonly action: string;
  readonly stream: string;
  readonly client_id: string;
}

/** Stands in for the daemon's side of SRS's hooks, with answers that a test chooses. */
export class HookServer {
  readonly url: string;
  /** Every callback so far, in order. */
  readonly calls: HookCall[] = [];
  /** Chooses the answer to each callback. */
  answer: (call: HookCall) => HookAnswer | Promise<HookAnswer> = () => ({});
  readonly #server: http.Server;

  private constructor(server: http.Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async start(): Promise<HookServer> {
    const server = http.createServer();
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(0, '127.0.0.1', resolve),
    );
    return new HookServer(server);
  }

  /** The callbacks of one action for one stream. */
  callsOf(action: string, stream: string): HookCall[] {
    return this.calls.filter((call) => call.action === action && call.stream === stream);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    let text = '';
    for await (const bytes of request) text += String(bytes);
    const call = JSON.parse(text) as HookCall;
    this.calls.push(call);
    const { status = 200, body = '{"code":0}', afterMs = 0 } = await this.answer(call);
    // An answer that nobody waits for any more keeps no test from its end.
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs).unref());
    response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body);
  }
}
