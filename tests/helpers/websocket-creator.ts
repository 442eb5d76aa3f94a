import WebSocket from 'ws';
import type { Target } from './creators';
import { HANGS_AFTER_MS } from './patience';
import { trusted } from './web';

export interface ServerMessage {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** A creator on the WebSocket door. Remembers what the daemon said and how it closed. */
export class WebSocketCreator {
  readonly messages: ServerMessage[] = [];
  /** Resolves when the connection is over, however that came about. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) this.messages.push(JSON.parse(data.toString()) as ServerMessage);
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
  }

  /**
   * Connects; with `hello`, says what follows and who sends it.
   * @throws {Error} with the HTTP status where the daemon refuses the upgrade
   */
  static async connect(
    target: Target,
    options: { hello?: Record<string, unknown>; query?: string; headers?: Record<string, string> } = {},
  ): Promise<WebSocketCreator> {
    const url = `${target.apiUrl.replace('http', 'ws')}/stream/${target.vibeId}/audio${options.query ?? ''}`;
    const socket = new WebSocket(url, { headers: options.headers, perMessageDeflate: false, ...trusted() });
    const creator = new WebSocketCreator(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        reject(new Error(`upgrade refused with ${response.statusCode}`));
        response.resume();
      });
    });
    socket.on('error', () => undefined);
    if (options.hello) creator.sendText(JSON.stringify({ type: 'hello', ...options.hello }));
    return creator;
  }

  send(chunk: Buffer): void {
    this.#socket.send(chunk);
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  /** The sum of what the daemon acknowledged last: `accepted` of the newest `ack`. */
  get lastAck(): ServerMessage | undefined {
    return this.messages.findLast((message) => message.type === 'ack');
  }

  /** The first message of this type, already there or still to come. */
  async message(type: string, withinMs = HANGS_AFTER_MS): Promise<ServerMessage> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no ${type} message within ${withinMs} ms`)), withinMs);
    });
    try {
      for (;;) {
        const found = this.messages.find((message) => message.type === type);
        if (found) return found;
        if (this.#socket.readyState === WebSocket.CLOSED) throw new Error(`closed without a ${type} message`);
        await Promise.race([late, new Promise<void>((resolve) => this.#waiting.add(resolve))]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes in order: what was sent before arrives before. */
  async close(): Promise<void> {
    this.#socket.close(1000);
    await this.closed;
  }

  /** Drops the connection without a word. */
  terminate(): void {
    this.#socket.terminate();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
