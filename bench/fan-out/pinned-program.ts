import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../../tests/helpers/eventually';
import { takesConnections } from '../../tests/helpers/free-port';

/** Enough of what a program says to know why it ended. */
const MAX_SAID_CHARS = 4_096;

export interface PinnedProgramOptions {
  readonly core: number;
  readonly program: string;
  readonly args: readonly string[];
  /** Where it listens, on loopback. */
  readonly port: number;
}

/** A server that runs on one core until it is stopped. One that ends by itself says so on standard error. */
export class PinnedProgram {
  readonly #child: ChildProcess;
  #said = '';
  #isStopping = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.once('error', (error) => (this.#said += error.message));
    child.stderr?.on('data', (bytes: Buffer) => {
      this.#said = (this.#said + bytes.toString()).slice(-MAX_SAID_CHARS);
    });
  }

  /**
   * Resolves when it takes connections.
   * @param name for people
   * @throws {Error} with what it said, where it ends first, or never takes any
   */
  static async start(
    name: string,
    { core, program, args, port }: PinnedProgramOptions,
  ): Promise<PinnedProgram> {
    const child = spawn('taskset', ['-c', String(core), program, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const started = new PinnedProgram(child);
    try {
      await eventually(`${name} listens`, async () => !started.#isRunning || (await takesConnections(port)));
      if (!started.#isRunning) throw new Error(`${name} ${started.#howItEnded}`);
    } catch (error) {
      await started.stop();
      throw error;
    }
    child.once('close', () => {
      if (!started.#isStopping) console.error(`${name} ${started.#howItEnded}`);
    });
    return started;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (!this.#isRunning) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  get #isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get #howItEnded(): string {
    return `ended with ${this.#child.exitCode ?? this.#child.signalCode}; it said: ${this.#said.trim()}`;
  }
}
