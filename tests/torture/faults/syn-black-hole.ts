import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { eventually } from '../../helpers/eventually';
import { readProcess } from '../../helpers/processes';

/** Listens with room for one connection that nobody has accepted yet, and says where. */
const LISTENER = `const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;
/** Linux keeps one more than it is told; some more try, and are not answered any more. */
const KNOCKS = 6;
const ANSWERED_WITHIN_MS = 300;

/**
 * A port that does not answer who wants to connect, as behind a firewall that drops packets: its listener stands still,
 * its queue is full, and Linux then drops the first packet (SYN) of each connection without a word.
 */
export class SynBlackHole {
  readonly port: number;
  readonly #listener: ChildProcess;
  readonly #knocks: net.Socket[] = [];

  private constructor(listener: ChildProcess, port: number) {
    this.#listener = listener;
    this.port = port;
  }

  /** @throws {Error} where the port still answers */
  static async open(): Promise<SynBlackHole> {
    const listener = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(listener.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const hole = new SynBlackHole(listener, Number(line.toString()));
    listener.kill('SIGSTOP');
    await eventually('it stands still', () => readProcess(listener.pid as number)?.state === 'T');
    for (let count = 0; count < KNOCKS; count += 1) if (!(await hole.#isAnswered())) return hole;
    await hole.close();
    throw new Error(`port ${hole.port} still answers after ${KNOCKS} connections`);
  }

  /** From now on the port is closed: who tries is told so. */
  async close(): Promise<void> {
    for (const knock of this.#knocks) knock.destroy();
    const gone = once(this.#listener, 'exit');
    this.#listener.kill('SIGKILL');
    await gone;
  }

  async #isAnswered(): Promise<boolean> {
    const knock = net.connect(this.port, '127.0.0.1');
    this.#knocks.push(knock);
    knock.on('error', () => undefined);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ANSWERED_WITHIN_MS);
      knock.once('connect', () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
