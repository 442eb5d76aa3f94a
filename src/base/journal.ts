import { readFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock, Timer } from './clock';
import { once } from './closer';
import type { JournalMetrics } from './journal-metrics';
import type { Logger } from './logger';

export interface JournalOptions {
  /** Where the file is; its directory is made anew where it is gone. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: JournalMetrics;
  /** All records that a journal must have that begins now. */
  readonly snapshot: () => readonly unknown[];
}

/** What a journal had to say. */
export interface JournalContents {
  /** In the order in which they were written. */
  readonly records: readonly unknown[];
  /** Lines that are no records: torn, or changed since. */
  readonly damagedLines: number;
  /** Why the file could not be read, where it could not. */
  readonly fault?: Error;
}

/**
 * The file is written anew when it is this long, and more than `GROWTH` times as long as it then was. It is read in 10 ms,
 * and with 200 vibes on air written in 4 s: what is gone again within seconds, the kernel rarely brings to the disk.
 */
const REWRITE_BYTES = 1024 * 1024;
const GROWTH = 4;
/** A disk that is full may have room again; and a file that somebody removed is missed as soon. */
const LOOK_MS = 2_000;

/**
 * A file of records, each a line: the checksum of the rest in hexadecimal, and the record as JSON. Records are only ever
 * appended; when the file has grown, a new one with a snapshot takes its place by `rename`, so that at any moment there is
 * one whole journal.
 *
 * Nothing waits for it: what is recorded in one go is one write, off the event loop. A record is safe from the death of
 * this process as soon as the kernel has it, some 0.1 ms later. It is never flushed to the disk: a machine that lost its
 * power is back too late for what is in here to be of use.
 *
 * When it cannot be written, that is logged and counted once, and tried again with a snapshot until it can.
 */
export class Journal {
  readonly #options: JournalOptions;
  #state: 'idle' | 'open' | 'frozen' = 'idle';
  #file: FileHandle | undefined;
  #waiting: string[] = [];
  #mustRewrite = true;
  #bytes = 0;
  #rewriteAtBytes = 0;
  #writing: Promise<void> | undefined;
  #fault: string | undefined;
  #look: Timer | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Why it is not written at the moment, as the system's code for it (`ENOSPC`); nothing where it is. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Begins with a snapshot, which takes the place of what an earlier process left. */
  begin(): void {
    this.#state = 'open';
    this.#look = this.#options.clock.every(LOOK_MS, () => void this.#lookAfter(), { background: true });
    this.#wake();
  }

  /** Records something, soon. What cannot be written now will be part of the next snapshot. */
  append(record: unknown): void {
    if (this.#state !== 'open' || this.#mustRewrite) return;
    this.#waiting.push(lineOf(record));
    this.#wake();
  }

  /** Resolves when everything recorded so far is in the file, or could not be written. */
  async written(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** Writes what was recorded and no more, and leaves the file for the next process. Idempotent. */
  readonly freeze = once(async () => {
    this.#look?.cancel();
    await this.written();
    this.#state = 'frozen';
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
  });

  /** There is nothing to remember any more: removes the file. Idempotent. */
  readonly close = once(async () => {
    const isOurs = this.#state === 'open';
    await this.freeze();
    if (isOurs) await rm(this.#options.path, { force: true }).catch((error) => this.#failed(error));
  });

  #wake(): void {
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      // What is recorded in one go is one write.
      await Promise.resolve();
      while (this.#state === 'open' && (this.#mustRewrite || this.#waiting.length > 0)) {
        if (this.#mustRewrite || this.#bytes > this.#rewriteAtBytes) await this.#rewrite();
        else await this.#put(this.#file as FileHandle, this.#waiting.splice(0));
      }
      if (this.#fault !== undefined && this.#state === 'open') this.#mended();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#writing = undefined;
    }
  }

  async #rewrite(): Promise<void> {
    const lines = this.#options.snapshot().map(lineOf);
    this.#waiting = [];
    this.#mustRewrite = false;
    const { path: file } = this.#options;
    const next = `${file}.next`;
    await mkdir(path.dirname(file)).catch(() => undefined);
    const handle = await open(next, 'w', 0o600);
    const before = { handle: this.#file, bytes: this.#bytes };
    try {
      this.#bytes = 0;
      await this.#put(handle, lines);
      await rename(next, file);
    } catch (error) {
      this.#bytes = before.bytes;
      await handle.close().catch(() => undefined);
      await rm(next, { force: true }).catch(() => undefined);
      throw error;
    }
    this.#file = handle;
    this.#rewriteAtBytes = Math.max(REWRITE_BYTES, this.#bytes * GROWTH);
    await before.handle?.close();
  }

  async #put(file: FileHandle, lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.join(''));
    for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
    this.#bytes += bytes.length;
    this.#options.metrics.records.inc(lines.length);
    this.#options.metrics.bytes.set(this.#bytes);
  }

  /** Tries again what failed, and begins anew where the file is not ours any more. */
  async #lookAfter(): Promise<void> {
    if (!this.#mustRewrite) this.#mustRewrite = !(await this.#isInPlace());
    if (this.#mustRewrite && this.#state === 'open') this.#wake();
  }

  async #isInPlace(): Promise<boolean> {
    const file = this.#file;
    if (!file || this.#writing) return true;
    try {
      const [ours, there] = await Promise.all([file.stat(), stat(this.#options.path)]);
      // Meanwhile it may have been written anew, by ourselves.
      return file !== this.#file || (ours.ino === there.ino && ours.dev === there.dev);
    } catch {
      return file !== this.#file;
    }
  }

  #failed(error: unknown): void {
    const { logger, metrics, path: file } = this.#options;
    this.#mustRewrite = true;
    this.#waiting = [];
    metrics.faults.inc();
    const isKnown = this.#fault !== undefined;
    this.#fault = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (isKnown) return;
    logger.error(
      { err: error, file },
      'the journal cannot be written: vibes would not survive the daemon’s death',
    );
  }

  #mended(): void {
    this.#fault = undefined;
    this.#options.logger.info({ file: this.#options.path }, 'the journal is written again');
  }
}

/**
 * Reads a journal, as far as it can be read: a line that does not fit its checksum is left out. The last one is often
 * torn, by the death of who wrote it; each record stands for itself, so that those behind a damaged line still count.
 * Never throws; where there is no file, there is nothing to tell.
 */
export function readJournal(file: string): JournalContents {
  try {
    return parseJournal(readFileSync(file));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { records: [], damagedLines: 0, ...(isMissing ? {} : { fault: error as Error }) };
  }
}

/** @param bytes a journal, or any part of one */
export function parseJournal(bytes: Buffer): JournalContents {
  const records: unknown[] = [];
  let damagedLines = 0;
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, from);
    const line = bytes.subarray(from, end < 0 ? bytes.length : end);
    from += line.length + 1;
    const json = line.subarray(CHECKSUM_CHARS + 1);
    // A line without its end is torn, even where only the end is missing: it was never acknowledged as written.
    const isWhole = end >= 0 && line.toString('latin1', 0, CHECKSUM_CHARS + 1) === `${checksum(json)} `;
    const record = isWhole ? parseJson(json.toString()) : undefined;
    if (record === undefined) damagedLines += 1;
    else records.push(record);
  }
  return { records, damagedLines };
}

const NEWLINE = 0x0a;
const CHECKSUM_CHARS = 8;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lineOf(record: unknown): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

function checksum(json: string | Buffer): string {
  return crc32(json).toString(16).padStart(CHECKSUM_CHARS, '0');
}
