import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock, Timer } from '../../base/clock';
import { settlesWithin } from '../../base/clock';
import { once } from '../../base/closer';
import { redact } from '../../base/logger';

/** The FFmpeg that the encoders run, and how. */
export interface FfmpegTools {
  readonly path: string;
  /** Put before a command, so that the kernel ends it with this process. */
  readonly leash: readonly string[];
  /** All that it gets; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface FfmpegChildOptions {
  readonly tools: FfmpegTools;
  readonly args: readonly string[];
  readonly clock: Clock;
  /** Told of each piece of standard output. */
  readonly onOutput?: (bytes: Buffer) => void;
  /** Told once, when it is gone and all that it said was heard. */
  readonly onExit: (end: FfmpegEnd) => void;
}

export interface FfmpegEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of standard error, redacted. */
  readonly stderr: readonly string[];
}

const FLUSH_MS = 500;
const TERM_MS = 1_000;
/** Its pipes are at their end when it is gone, unless it left a child behind that holds them. */
const PIPES_MS = 250;
const STDERR_LINES = 10;
const STDERR_LINE_LENGTH = 300;

/** One FFmpeg, one life, between its two pipes. Nothing in here throws once it was made; its end tells why. */
export class FfmpegChild {
  readonly #options: FfmpegChildOptions;
  readonly #child: ChildProcess | undefined;
  readonly #gone: Promise<void>;
  readonly #stderr: string[] = [];
  #settle!: () => void;
  #isOver = false;
  #pipes: Timer | undefined;

  constructor(options: FfmpegChildOptions) {
    this.#options = options;
    this.#gone = new Promise((resolve) => (this.#settle = resolve));
    const { path, leash, environment } = options.tools;
    const [program = path, ...args] = [...leash, path, ...options.args];
    try {
      this.#child = spawn(program, args, {
        shell: false,
        // A Ctrl-C in the daemon's terminal is not for it.
        detached: true,
        env: { ...environment },
        stdio: ['pipe', 'pipe', 'pipe'],
        windowsHide: true,
      });
    } catch (error) {
      this.#note(String(error));
      queueMicrotask(() => this.#finish(null, null));
      return;
    }
    this.#listen(this.#child);
  }

  get pid(): number | undefined {
    return this.#isOver ? undefined : this.#child?.pid;
  }

  /** Bytes that were written and that it has not read. */
  get unreadBytes(): number {
    return this.#child?.stdin?.writableLength ?? 0;
  }

  /** What a dying process does not take is thrown away. */
  write(bytes: Buffer): void {
    if (this.#child?.stdin?.writable) this.#child.stdin.write(bytes);
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Ends its input and waits for what it still has to say, then asks, then kills. Idempotent. */
  readonly close = once(async () => {
    const { clock } = this.#options;
    this.#child?.stdin?.end();
    if (await settlesWithin(clock, FLUSH_MS, this.#gone)) return;
    this.#child?.kill('SIGTERM');
    if (await settlesWithin(clock, TERM_MS, this.#gone)) return;
    this.#child?.kill('SIGKILL');
    await this.#gone;
  });

  #listen(child: ChildProcess): void {
    // Where the daemon has no descriptors left, the child comes without streams, whatever its type says.
    for (const stream of (child.stdio as typeof child.stdio | undefined) ?? [])
      stream?.on('error', () => undefined);
    child.stdout?.on('data', (bytes: Buffer) => this.#options.onOutput?.(bytes));
    child.stderr?.on('data', (bytes: Buffer) => {
      for (const line of bytes.toString('utf8').split(/[\r\n]+/)) this.#note(line);
    });
    child.on('error', (error) => {
      this.#note(error.message);
      if (child.pid === undefined) this.#finish(null, null);
    });
    child.once('exit', (code, signal) => {
      this.#pipes = this.#options.clock.after(PIPES_MS, () => this.#finish(code, signal));
    });
    child.once('close', (code, signal) => this.#finish(code, signal));
  }

  #note(line: string): void {
    // What stands behind the `?` of an RTMP URL is a ticket.
    const clean = redact(line.replace(/\?[^\s:]+/g, '?***')).trim();
    if (clean !== '') this.#stderr.push(clean.slice(0, STDERR_LINE_LENGTH));
    if (this.#stderr.length > STDERR_LINES) this.#stderr.shift();
  }

  #finish(exitCode: number | null, signal: NodeJS.Signals | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pipes?.cancel();
    for (const stream of this.#child?.stdio ?? []) stream?.destroy();
    this.#options.onExit({ exitCode, signal, stderr: this.#stderr });
    this.#settle();
  }
}
