import { type ChildProcess, fork } from 'node:child_process';
import { type Clock, settlesWithin, type Timer } from '../base/clock';
import { once } from '../base/closer';
import type { Logger } from '../base/logger';
import type { FromChild, ToChild } from './embedded/messages';

export interface MediaProcessOptions {
  /** The compiled `embedded/child.js`. */
  readonly childPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onMessage: (message: FromChild) => void;
  /** Told once a second how many milliseconds it took to answer. */
  readonly onAnswer?: (tookMs: number) => void;
  /** It is gone, however that came about. */
  readonly onExit: (cause: string) => void;
}

const PING_EVERY_MS = 1_000;
/** So many unanswered pings mean that it hangs. Counted, not timed: a relay that slept itself blames nobody. */
const MAX_UNANSWERED = 5;
/** Players get half a second to read the end of their streams; then the process has nothing left to do. */
const CLOSE_WITHIN_MS = 2_000;
const MAX_LOG_CHARS = 4_000;
/**
 * Frames live for milliseconds or for a segment. With V8's default young generation (16 MiB) resident memory swings
 * between 114 and 134 MiB under 20 streams and 60 listeners; with 2 MiB it stays at 103 MiB, for the same CPU.
 */
const YOUNG_GENERATION_MIB = 2;

/** One life of the media server's process. */
export class MediaProcess {
  readonly #options: MediaProcessOptions;
  readonly #child: ChildProcess;
  readonly #heartbeat: Timer;
  readonly #exited: Promise<void>;
  /** When each ping that has no answer yet was sent, oldest first. */
  readonly #pings: number[] = [];
  #cause = '';

  constructor(options: MediaProcessOptions) {
    this.#options = options;
    // The environment stays here: it may hold secrets, and the process is told all it needs.
    this.#child = fork(options.childPath, [], {
      env: {},
      execArgv: [`--max-semi-space-size=${YOUNG_GENERATION_MIB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.on('message', (message: FromChild) => this.#receive(message));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      options.logger.error({ stderr: text.slice(0, MAX_LOG_CHARS) }, 'the media server process said');
    });
    this.#exited = new Promise((resolve) => {
      const gone = once(async () => {
        this.#heartbeat.cancel();
        options.onExit(this.#cause);
        resolve();
      });
      // `exit` never comes where the process could not be started.
      this.#child.once('exit', (code, signal) => {
        this.#cause = signal ?? `exit code ${code}`;
        void gone();
      });
      this.#child.on('error', (error) => {
        if (this.#child.pid !== undefined) return;
        this.#cause = error.message;
        void gone();
      });
    });
    this.#heartbeat = options.clock.every(PING_EVERY_MS, () => this.#beat(), { background: true });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Tells it something. What can no longer be told is dropped: the end of the process is told anyway. */
  send(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /**
   * Asks it to close and waits until it is gone; kills it where it does not go. There is no SIGTERM in between: the
   * process ignores it, because a terminal's Ctrl-C must not end it before the relay has drained. Idempotent.
   */
  readonly close = once(async () => {
    this.send({ type: 'close' });
    if (!(await settlesWithin(this.#options.clock, CLOSE_WITHIN_MS, this.#exited)))
      this.#kill('did not close');
    await this.#exited;
  });

  #receive(message: FromChild): void {
    if (message.type !== 'pong') return this.#options.onMessage(message);
    const sentMs = this.#pings.shift();
    if (sentMs !== undefined) this.#options.onAnswer?.(this.#options.clock.nowMs() - sentMs);
  }

  #beat(): void {
    if (this.#pings.length >= MAX_UNANSWERED) return this.#kill('does not answer');
    this.#pings.push(this.#options.clock.nowMs());
    this.send({ type: 'ping' });
  }

  #kill(why: string): void {
    this.#options.logger.error({ pid: this.pid }, `the media server process ${why}: killed`);
    this.#child.kill('SIGKILL');
  }
}
