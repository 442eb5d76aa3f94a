import { once } from 'node:events';
import WebSocket from 'ws';
import { eventually } from '../../helpers/eventually';
import { jsonRequest } from '../../helpers/http-request';

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/**
 * Node's inspector of a running daemon: collects garbage on demand, and runs code inside it, which is how a test blocks
 * its event loop or moves its wall clock. The daemon has to be started with `NODE_OPTIONS=--inspect=127.0.0.1:PORT`.
 */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer;
      if (answer.id === undefined) return;
      this.#answers.get(answer.id)?.(answer);
      this.#answers.delete(answer.id);
    });
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<Inspector> {
    const url = await eventually('the inspector', async () => {
      const targets = (await jsonRequest(`http://127.0.0.1:${port}/json`)).json as unknown as {
        webSocketDebuggerUrl: string;
      }[];
      return targets[0]?.webSocketDebuggerUrl;
    });
    const socket = new WebSocket(url);
    await once(socket, 'open');
    return new Inspector(socket);
  }

  /** Runs an expression in the daemon. @returns its value @throws {Error} what it threw */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = (await this.#ask('Runtime.evaluate', {
      expression,
      returnByValue: true,
      includeCommandLineAPI: true,
    })) as { result: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'the expression threw');
    return result.value;
  }

  /** Bytes of heap in use after everything unreachable was collected, twice. */
  async heapBytes(): Promise<number> {
    for (let round = 0; round < 2; round += 1) await this.#ask('HeapProfiler.collectGarbage', {});
    return (await this.#ask('Runtime.getHeapUsage', {}))['usedSize'] as number;
  }

  close(): void {
    this.#socket.terminate();
  }

  async #ask(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const answered = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answered;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }
}
