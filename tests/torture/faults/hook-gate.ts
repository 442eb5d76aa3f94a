import { once } from 'node:events';
import http from 'node:http';
import { freePort } from '../../helpers/free-port';

/** How hooks are answered instead of as the daemon would. */
export type GateFault =
  /** The daemon’s answer comes so much later. */
  | { readonly lateMs: number }
  /** The daemon is not asked. */
  | { readonly status: number; readonly body: string };

/** One hook that came by. */
export interface PassedHook {
  /** `on_publish`, `on_play`, … */
  readonly action: string;
  readonly fault: GateFault | undefined;
}

/** Stands between SRS and the daemon, and hands its hooks on; or answers in the daemon's place, or late. */
export class HookGate {
  readonly port: number;
  /** The daemon's port. */
  target = 0;
  /** Every hook so far, in order. */
  readonly passed: PassedHook[] = [];
  /** What is wrong with the answer to a hook; nothing where left out. */
  faultOf: (action: string) => GateFault | undefined = () => undefined;
  readonly #server: http.Server;

  private constructor(server: http.Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('request', (request, answer) => void this.#pass(request, answer));
  }

  static async open(): Promise<HookGate> {
    const server = http.createServer();
    const port = await freePort();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new HookGate(server, port);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #pass(request: http.IncomingMessage, answer: http.ServerResponse): Promise<void> {
    const action = /[^/]*$/.exec(request.url ?? '')?.[0] ?? '';
    const fault = this.faultOf(action);
    this.passed.push({ action, fault });
    const body: Buffer[] = [];
    for await (const bytes of request) body.push(bytes as Buffer);
    if (fault && 'status' in fault) {
      answer.writeHead(fault.status, { 'content-length': Buffer.byteLength(fault.body) }).end(fault.body);
      return;
    }
    if (fault) await new Promise((resolve) => setTimeout(resolve, fault.lateMs));
    this.#ask(request, Buffer.concat(body), answer);
  }

  #ask(request: http.IncomingMessage, body: Buffer, answer: http.ServerResponse): void {
    const { method, url, headers } = request;
    const asked = http.request(
      { host: '127.0.0.1', port: this.target, method, path: url, headers, agent: false },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      },
    );
    asked.once('error', () => answer.destroy());
    asked.end(body);
  }
}
