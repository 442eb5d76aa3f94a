import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that runs on one core until it is stopped. */
export class PinnedProgram {
  readonly #child: ChildProcess;

  constructor(core: number, program: string, args: readonly string[]) {
    this.#child = spawn('taskset', ['-c', String(core), program, ...args], {
      stdio: 'ignore',
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
