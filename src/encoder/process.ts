import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import { settlesWithin, type Clock, type Timer } from '../base/clock';
import { redact } from '../base/logger';
import type { Asked, ProcessEnd } from './exit';
import { ProgressParser, type Progress } from './progress';
import { spawnFfmpeg } from './spawn';

export interface EncoderProcessOptions {
  readonly clock: Clock;
  readonly ffmpegPath: string;
  /** See `findLeash`. */
  readonly leash: readonly string[];
  /** See `childEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Written first, and not counted. */
  readonly preamble: Buffer;
  /** Bytes of one sample of all channels, for counting. */
  readonly sampleBytes: number;
  /** Never shown in what is kept of stderr. */
  readonly secret: string;
}

export interface EncoderProcessEvents {
  /** It runs, or its pipe has drained: `writable` holds again. */
  writable: [];
  progress: [progress: Progress];
  /** It is gone, and everything it said has been read. Once, and last. */
  exit: [end: ProcessEnd];
}

/** What FFmpeg still has to encode and send is a second at most; a server that takes longer does not read. */
const END_BUDGET_MS = 3_000;
/** FFmpeg obeys SIGTERM within 20 ms, unless it is blocked on its output. */
const TERM_BUDGET_MS = 1_500;
/** Its pipes are at their end when it is gone, unless it left a child behind that holds them. */
const PIPES_BUDGET_MS = 250;
const STDERR_LINES = 20;
const STDERR_LINE_LENGTH = 400;

/**
 * One FFmpeg, one life: born by the constructor, gone with `exit`. Nothing in here throws after that, and no stream
 * error gets out: a broken pipe means that it is dying, and its end tells why.
 *
 * What has been written and not yet read lies in the kernel: some 200 kB, a second of 48 kHz stereo s16le.
 */
export class EncoderProcess extends EventEmitter<EncoderProcessEvents> {
  readonly #options: EncoderProcessOptions;
  readonly #child: ChildProcess | undefined;
  readonly #stdin: Writable | undefined;
  readonly #exited: Promise<void>;
  readonly #stderr: string[] = [];
  #stderrRest = '';
  #running = false;
  #blocked = false;
  #asked: Asked = 'nothing';
  #forced = false;
  #end: ProcessEnd | undefined;
  #exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  #pipesTimer: Timer | undefined;
  #ending: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #bytesFed = 0;
  #outTimeUs = 0;

  constructor(options: EncoderProcessOptions) {
    super();
    this.#options = options;
    this.#exited = new Promise((resolve) => this.once('exit', () => resolve()));
    const { leash, ffmpegPath: path, args } = options;
    try {
      this.#child = spawnFfmpeg({ leash, path, args }, options.environment);
    } catch (error) {
      this.#note(String(error));
      queueMicrotask(() => this.#finish(true));
      return;
    }
    this.#stdin = this.#child.stdin ?? undefined;
    this.#listen(this.#child);
    if (options.preamble.length > 0) this.#stdin?.write(options.preamble, this.#onWritten);
  }

  get pid(): number | undefined {
    return this.#end ? undefined : this.#child?.pid;
  }

  /** Whether a write would go straight into the pipe. */
  get writable(): boolean {
    return this.#running && !this.#blocked && this.#asked === 'nothing' && this.#stdin?.writable === true;
  }

  /** Whether the pipe is full: FFmpeg has not read what it was fed. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Samples given to `write`, whether FFmpeg got to read them or not. */
  get samplesFed(): number {
    return this.#bytesFed / this.#options.sampleBytes;
  }

  /** The last `out_time_us`. */
  get outTimeUs(): number {
    return this.#outTimeUs;
  }

  /** The last lines of stderr, redacted. */
  get stderr(): readonly string[] {
    return this.#stderr;
  }

  /** Writes whole samples. What a dying process refuses counts as fed. */
  write(bytes: Buffer): void {
    this.#bytesFed += bytes.length;
    const stdin = this.#stdin;
    if (!stdin?.writable) return;
    stdin.write(bytes, this.#onWritten);
    this.#blocked = stdin.writableLength > 0 || stdin.writableNeedDrain;
  }

  /** No more input: FFmpeg publishes its tail and ends. Resolves when it is gone, by force if need be. Idempotent. */
  end(): Promise<void> {
    this.#ask('end');
    return (this.#ending ??= this.#runEnd());
  }

  /** SIGTERM, then SIGKILL, also while `end` waits. Resolves when it is gone. Idempotent. */
  close(): Promise<void> {
    this.#ask('close');
    return (this.#closing ??= this.#runClose());
  }

  /** SIGKILL, because it is fed and nothing comes out. */
  killStalled(): void {
    this.#ask('stalled');
    this.#child?.kill('SIGKILL');
  }

  async #runEnd(): Promise<void> {
    this.#stdin?.end();
    if (await settlesWithin(this.#options.clock, END_BUDGET_MS, this.#exited)) return;
    await (this.#closing ??= this.#runClose());
  }

  async #runClose(): Promise<void> {
    this.#forced = true;
    this.#child?.kill('SIGTERM');
    this.#stdin?.destroy();
    if (await settlesWithin(this.#options.clock, TERM_BUDGET_MS, this.#exited)) return;
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** The first thing asked is the cause of the end, whatever follows. */
  #ask(asked: Asked): void {
    if (this.#asked === 'nothing' && this.#exit === undefined && !this.#end) this.#asked = asked;
  }

  readonly #onWritten = (): void => {
    if (!this.#blocked) return;
    const stdin = this.#stdin;
    if (!stdin || stdin.writableLength > 0 || stdin.writableNeedDrain) return;
    this.#blocked = false;
    if (this.writable) this.emit('writable');
  };

  #listen(child: ChildProcess): void {
    child.once('spawn', () => {
      this.#running = true;
      if (this.writable) this.emit('writable');
    });
    child.on('error', (error) => {
      this.#note(error.message);
      // Also emitted where a signal cannot be sent; then there is a process, and its exit counts.
      if (child.pid === undefined) this.#finish(true);
    });
    child.once('exit', (code, signal) => {
      this.#exit = { code, signal };
      this.#pipesTimer = this.#options.clock.after(PIPES_BUDGET_MS, () => this.#finish(false));
    });
    child.once('close', () => this.#finish(false));

    // Where the daemon has no descriptors left, the child comes without streams, whatever its type says.
    const streams = (child.stdio as typeof child.stdio | undefined) ?? [];
    for (const stream of streams) stream?.on('error', () => undefined);
    this.#stdin?.on('drain', this.#onWritten);
    const parser = new ProgressParser((block) => {
      this.#outTimeUs = block.outTimeUs;
      if (!this.#end) this.emit('progress', block);
    });
    const progress = streams[3];
    if (progress && 'read' in progress) progress.on('data', (chunk: Buffer) => parser.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.#readStderr(chunk.toString('utf8')));
  }

  #readStderr(text: string): void {
    const lines = (this.#stderrRest + text).split(/[\r\n]+/);
    this.#stderrRest = (lines.pop() ?? '').slice(0, STDERR_LINE_LENGTH);
    for (const line of lines) this.#note(line);
  }

  #note(line: string): void {
    const clean = redact(line.replaceAll(this.#options.secret, '***')).trim();
    if (clean !== '') this.#stderr.push(clean.slice(0, STDERR_LINE_LENGTH));
    if (this.#stderr.length > STDERR_LINES) this.#stderr.shift();
  }

  #finish(spawnFailed: boolean): void {
    if (this.#end) return;
    this.#pipesTimer?.cancel();
    this.#note(this.#stderrRest);
    this.#running = false;
    this.#end = {
      exitCode: spawnFailed ? null : (this.#exit?.code ?? null),
      signal: this.#exit?.signal ?? null,
      asked: this.#asked,
      forced: this.#forced,
      spawnFailed,
      leashed: this.#options.leash.length > 0,
    };
    for (const stream of this.#child?.stdio ?? []) stream?.destroy();
    this.emit('exit', this.#end);
  }
}
