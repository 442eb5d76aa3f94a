import { write, writeSync } from 'node:fs';
import { systemClock } from './clock';

/** What waits for a reader that does not read is bounded by this; lines beyond it are counted and left out. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** A pipe without room, in non-blocking mode, is tried again after this. */
const AGAIN_MS = 10;

/**
 * Writes log lines to a descriptor, one write at a time and never on the event loop. Whoever reads it may be slow or
 * gone: lines are then left out, and nothing waits for them.
 */
export class LogWriter {
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isBusy = false;
  #leftOut = 0;
  #isReaderGone = false;
  #onIdle: (() => void)[] = [];

  /** @param fd an open descriptor, such as 1 for standard output */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Takes whole lines. */
  write(text: string): void {
    if (this.#isReaderGone) return;
    if (this.#waitingBytes + text.length > MAX_WAITING_BYTES) {
      this.#leftOut += 1;
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    if (this.#isBusy) return;
    this.#isBusy = true;
    // What is logged in one go is one write.
    process.nextTick(() => this.#next());
  }

  /** Resolves when all that was taken is written, or nobody reads it any more. A reader that hangs makes it hang. */
  async written(): Promise<void> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Writes what waits at once, as far as the reader takes it without a wait: for the end of a process that cannot go on. */
  writeNow(): void {
    // The write under way has its part; a second write of it would only say it twice.
    const text = this.#waiting.splice(0).join('');
    try {
      if (!this.#isReaderGone && text !== '') writeSync(this.#fd, text);
    } catch {
      this.#isReaderGone = true;
    }
  }

  #next(): void {
    if (this.#leftOut > 0 && !this.#isReaderGone) {
      const line = { level: 'warn', time: new Date().toISOString(), lines: this.#leftOut };
      this.#waiting.push(
        `${JSON.stringify({ ...line, msg: 'log lines were left out: nobody read them' })}\n`,
      );
      this.#leftOut = 0;
    }
    if (this.#waiting.length === 0) {
      this.#isBusy = false;
      for (const resolve of this.#onIdle.splice(0)) resolve();
      return;
    }
    const bytes = Buffer.from(this.#waiting.splice(0).join(''));
    this.#waitingBytes = 0;
    this.#put(bytes);
  }

  #put(bytes: Buffer): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        systemClock.after(AGAIN_MS, () => this.#put(bytes), { background: true });
        return;
      }
      if (error) {
        // A pipe that is broken stays broken; a disk that is full may have room again.
        this.#isReaderGone = error.code === 'EPIPE';
        if (this.#isReaderGone) this.#waiting = [];
        this.#next();
        return;
      }
      if (written < bytes.length) this.#put(bytes.subarray(written));
      else this.#next();
    });
  }
}
