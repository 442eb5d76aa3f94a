import type { Writable } from 'node:stream';

/** How often a line is written where it cannot be rewritten. */
const PLAIN_PERIOD_MS = 5_000;
/** How often the line of a terminal is rewritten. */
const LIVE_PERIOD_MS = 250;

/** Where a command writes: the process's own streams, or a test's. */
export interface Output {
  readonly stdout: Writable & { isTTY?: boolean; columns?: number };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
}

/**
 * One line about now. On a terminal it is rewritten in place four times a second; elsewhere a new line is written
 * every five seconds, so that a log stays readable.
 */
export class StatusLine {
  readonly #stream: Output['stderr'];
  readonly #text: () => string;
  readonly #timer: NodeJS.Timeout;
  #shown = false;

  /** @param text called for each line; one line, without its end */
  constructor(stream: Output['stderr'], text: () => string) {
    this.#stream = stream;
    this.#text = text;
    this.#timer = setInterval(() => this.#write(), stream.isTTY ? LIVE_PERIOD_MS : PLAIN_PERIOD_MS);
    this.#timer.unref();
  }

  /** Writes a line that stays, above the live one. */
  note(line: string): void {
    this.#clear();
    this.#stream.write(`${line}\n`);
  }

  /** No more lines; the live one goes away. Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #write(): void {
    const text = this.#text();
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`);
      return;
    }
    // The cursor stays at the start of the line, so that whatever else is written to the terminal writes over it.
    this.#stream.write(`\r\u001b[2K${text.slice(0, (this.#stream.columns ?? 80) - 1)}\r`);
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) this.#stream.write('\r\u001b[2K');
    this.#shown = false;
  }
}

/** `3:07`, `1:02:07`. */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0/, '');
}

/** A bar for a level in dBFS: full at 0, empty at -60. */
export function levelBar(dbfs: number, width = 20): string {
  const filled = Math.round(Math.min(1, Math.max(0, 1 + dbfs / 60)) * width);
  return '█'.repeat(filled) + '·'.repeat(width - filled);
}

/** `-12.3 dBFS`, or `silence` below what 16 bits can hold. */
export function decibels(dbfs: number): string {
  return dbfs <= -96 ? 'silence' : `${dbfs.toFixed(1)} dBFS`;
}
