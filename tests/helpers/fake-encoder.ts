import { EventEmitter } from 'node:events';
import type {
  Encoder,
  EncoderEvents,
  EncoderExit,
  EncoderOptions,
  EncoderState,
} from '../../src/encoder/encoder';

/** An encoder without a process: keeps what is written, and fails on demand. */
export class FakeEncoder extends EventEmitter<EncoderEvents> implements Encoder {
  readonly options: EncoderOptions;
  readonly written: Buffer[] = [];
  state: EncoderState = 'idle';
  restarts = 0;
  lastExit: EncoderExit | undefined;
  pid: number | undefined;
  /** `life-1` for the first one, and so on. */
  token: string | undefined;
  writable = false;
  #lives = 0;

  constructor(options: EncoderOptions) {
    super();
    this.options = options;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.written);
  }

  start(): void {
    if (this.state !== 'idle') return;
    this.to('starting', 'started');
    this.setWritable(true);
  }

  write(bytes: Buffer): void {
    if (!this.writable) throw new Error('written while not writable');
    this.written.push(Buffer.from(bytes));
    if (this.state === 'starting') this.to('running', 'progress');
  }

  async end(): Promise<void> {
    if (this.state === 'idle') return;
    this.writable = false;
    if (this.state !== 'stopping') this.to('stopping', 'end');
    this.to('idle', 'ended');
  }

  close(): Promise<void> {
    return this.end();
  }

  /** Lets writes through, or blocks them as a full pipe does. */
  setWritable(writable: boolean): void {
    this.writable = writable;
    if (writable) this.emit('writable');
  }

  to(state: EncoderState, cause: string): void {
    const from = this.state;
    this.state = state;
    if (state === 'starting') this.token = `life-${(this.#lives += 1)}`;
    if (state === 'idle' || state === 'backoff') this.token = undefined;
    this.emit('state', { from, to: state, cause });
  }
}
