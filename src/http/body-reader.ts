import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Timer } from '../base/clock';
import { Problem } from '../base/errors';
import type { HttpContext, OpenDoor } from './context';
import { announcedLength, continueBody } from './request-body';

/** The client went away in the middle of its body. Nobody is left to be answered. */
export class BodyAborted extends Error {
  constructor() {
    super('the body broke off');
    this.name = 'BodyAborted';
  }
}

/** A body of which nothing comes for so long, while we read, is given up. */
const IDLE_MS = 60_000;

/**
 * Reads a request's body piece by piece, only when asked: while nobody asks, TCP holds the sender back. There is no
 * bound on the whole time, only on pauses.
 */
export class BodyReader implements OpenDoor {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #clock: Clock;
  readonly #openDoors: Set<OpenDoor>;
  readonly #deadline: Timer | undefined;
  #receivedBytes = 0;
  #refusal: Problem | undefined;
  #wake: (() => void) | undefined;
  #rejectRace: ((problem: Problem) => void) | undefined;

  /** @param options.deadlineMs how long the whole body may take; no bound unless told */
  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    context: Pick<HttpContext, 'clock' | 'openDoors'>,
    options: { deadlineMs?: number } = {},
  ) {
    this.#req = req;
    this.#res = res;
    this.#clock = context.clock;
    this.#openDoors = context.openDoors;
    this.#openDoors.add(this);
    for (const event of ['readable', 'end', 'close', 'error'] as const) req.on(event, this.#onProgress);
    if (options.deadlineMs !== undefined) {
      const late = new Problem('request-timeout', 'The body took too long to arrive.');
      this.#deadline = this.#clock.after(options.deadlineMs, () => this.refuse(late), { background: true });
    }
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Announced bytes that have not come; 0 where no length was announced. */
  get missingBytes(): number {
    return Math.max(0, (announcedLength(this.#req) ?? 0) - this.#receivedBytes);
  }

  /**
   * The next bytes, as many as are there; nothing at the end.
   * @throws {BodyAborted} @throws {Problem} `request-timeout` (408), or what `refuse` was told
   */
  async next(): Promise<Buffer | undefined> {
    continueBody(this.#req, this.#res);
    for (;;) {
      if (this.#refusal) throw this.#refusal;
      const bytes = this.#req.read() as Buffer | null;
      if (bytes) {
        this.#receivedBytes += bytes.length;
        return bytes;
      }
      if (this.#req.readableEnded) return undefined;
      if (this.#req.destroyed) throw new BodyAborted();
      await this.#progress();
    }
  }

  /**
   * The whole body.
   * @param onPart told each part as it comes, also of a body that breaks off later
   * @throws {Problem} `too-large` (413) @throws as `next`
   */
  async whole(maxBytes: number, onPart: (bytes: Buffer) => void = () => undefined): Promise<Buffer> {
    const tooLarge = new Problem('too-large', `This body must not be longer than ${maxBytes} bytes.`);
    if ((announcedLength(this.#req) ?? 0) > maxBytes) throw tooLarge;
    const parts: Buffer[] = [];
    for (let bytes = await this.next(); bytes; bytes = await this.next()) {
      if (this.#receivedBytes > maxBytes) throw tooLarge;
      onPart(bytes);
      parts.push(bytes);
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Waits for something else than bytes, unless `refuse` comes first. One at a time. */
  async unlessRefused(promise: Promise<void>): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    await new Promise<void>((resolve, reject) => {
      this.#rejectRace = reject;
      promise.then(resolve, reject);
    });
  }

  /** Reads no more: the pending and every later call throws `problem`. */
  refuse(problem: Problem): void {
    this.#refusal ??= problem;
    this.#onProgress();
    this.#rejectRace?.(this.#refusal);
  }

  /** Lets the request go. What was not read stays unread. */
  close(): void {
    this.#deadline?.cancel();
    this.#openDoors.delete(this);
    for (const event of ['readable', 'end', 'close'] as const) this.#req.off(event, this.#onProgress);
  }

  readonly #onProgress = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  async #progress(): Promise<void> {
    const timer = this.#clock.after(
      IDLE_MS,
      () => this.refuse(new Problem('request-timeout', `Nothing arrived for ${IDLE_MS / 1000} s.`)),
      { background: true },
    );
    await new Promise<void>((resolve) => (this.#wake = resolve));
    timer.cancel();
  }
}
