import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Clock, settlesWithin } from '../../base/clock';
import { once } from '../../base/closer';
import type { Logger } from '../../base/logger';
import type { SrsCommand } from './driver';
import type { LogReader } from './log-line';

export interface SrsProcessOptions {
  readonly command: SrsCommand;
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: LogReader;
  /** Kills what SIGKILL to the started process does not reach. */
  readonly kill: () => Promise<void>;
  /** It is gone, however that came about. Called once. */
  readonly onExit: (cause: string) => void;
}

/** SRS ends within a second; a hung one never. Below what PM2 and systemd leave the supervisor. */
const STOP_WITHIN_MS = 5_000;
const LAST_WORDS_MS = 500;

/** One life of SRS. */
export class SrsProcess {
  readonly #options: SrsProcessOptions;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  /** What it complained of last. */
  #complaint = '';
  #killedFor: string | undefined;

  constructor(options: SrsProcessOptions) {
    this.#options = options;
    const { program, args, environment } = options.command;
    // A process group of its own: Ctrl-C in a terminal is for the supervisor, which then ends SRS in order.
    this.#child = spawn(program, args, {
      cwd: options.directory,
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const output of [this.#child.stdout, this.#child.stderr]) if (output) this.#read(output);
    const read = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    this.#gone = new Promise((resolve) => {
      const end = (cause: string): void => {
        options.onExit(cause);
        resolve();
      };
      this.#child.once('exit', (code, signal) => {
        // Its last words are in the pipe; somebody that it started may hold that open for ever.
        void settlesWithin(options.clock, LAST_WORDS_MS, read).then(() =>
          end(this.#cause(signal ?? `exit code ${code}`)),
        );
      });
      // `exit` never comes where it could not be started.
      this.#child.on('error', (error) => {
        if (this.#child.pid === undefined) end(error.message);
      });
    });
  }

  /** Of the process that was started; `undefined` where that failed. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Ends it at once; `onExit` gets the reason. */
  kill(why: string): void {
    this.#killedFor ??= why;
    void this.#options.kill();
    this.#child.kill('SIGKILL');
  }

  /** Asks it to end, waits, and kills it where it does not. Resolves when it is gone. Idempotent. */
  readonly close = once(async () => {
    this.#child.kill('SIGTERM');
    if (!(await settlesWithin(this.#options.clock, STOP_WITHIN_MS, this.#gone))) this.kill('did not end');
    await this.#gone;
  });

  #read(output: Readable): void {
    createInterface({ input: output }).on('line', (raw) => {
      const line = this.#options.log.read(raw);
      if (!line) return;
      if (line.level === 'error') this.#complaint = line.text;
      this.#options.logger[line.level](line.text);
    });
  }

  #cause(end: string): string {
    if (this.#killedFor !== undefined) return this.#killedFor;
    return this.#complaint === '' ? end : `${end}, after: ${this.#complaint}`;
  }
}
