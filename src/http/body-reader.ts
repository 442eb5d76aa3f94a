import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Timer } from '../base/clock';
import { Problem } from '../base/errors';
import type { HttpContext, OpenDoor } from './context';
import type { Guests } from './guests';
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
 * Reads a request's body, once, as it comes. While what came is not dealt with, TCP holds the sender back. There is no
 * bound on the whole time, only on pauses.
 */
export class BodyReader implements OpenDoor {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #clock: Clock;
  readonly #openDoors: Set<OpenDoor>;
  readonly #guests: Pick<Guests, 'enter'>;
  readonly #deadline: Timer | undefined;
  #leave: (() => void) | undefined;
  #receivedBytes = 0;
  #refusal: Problem | undefined;
  /** Reading ends with an error. */
  #fail: ((error: Error) => void) | undefined;

  /** @param options.deadlineMs how long the whole body may take; no bound unless told */
  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    context: Pick<HttpContext, 'clock' | 'openDoors'> & { readonly guests: Pick<Guests, 'enter'> },
    options: { deadlineMs?: number } = {},
  ) {
    this.#req = req;
    this.#res = res;
    this.#clock = context.clock;
    this.#openDoors = context.openDoors;
    this.#guests = context.guests;
    this.#openDoors.add(this);
    // A connection that breaks is no error of ours: `close` tells.
    req.on('error', ignore);
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
   * The whole body.
   * @param onPart told each part as it comes, also of a body that breaks off later
   * @throws {Problem} `too-large` (413) @throws as `each`
   */
  async whole(maxBytes: number, onPart?: (bytes: Buffer) => void): Promise<Buffer> {
    if ((announcedLength(this.#req) ?? 0) > maxBytes) throw tooLarge(maxBytes);
    const parts: Buffer[] = [];
    await this.each((bytes) => {
      if (this.#receivedBytes > maxBytes) throw tooLarge(maxBytes);
      onPart?.(bytes);
      parts.push(bytes);
    });
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /**
   * Hands over the body piece by piece; resolves at its end. A body that breaks off is handed over as far as it came.
   * @param take where it returns a promise, nothing more is read until that resolves; what it throws ends the reading
   * @throws {BodyAborted} @throws {Problem} `request-timeout` (408), `too-many-requests` (429) for one address, or what
   *   `refuse` was told
   */
  each(take: (bytes: Buffer) => Promise<void> | void): Promise<void> {
    continueBody(this.#req, this.#res);
    return new Promise((resolve, reject) => {
      if (this.#refusal) return reject(this.#refusal);
      const req = this.#req;
      let end: 'ended' | 'aborted' | undefined;
      let isHeld = false;
      let isOver = false;
      let idling: Timer | undefined;
      let heardMs = this.#clock.nowMs();

      const stop = (): void => {
        isOver = true;
        idling?.cancel();
        this.#fail = undefined;
        req.off('data', onData);
        req.off('end', onEnd);
        req.off('close', onClose);
      };
      const fail = (error: Error): void => {
        if (isOver) return;
        stop();
        req.pause();
        reject(error);
      };
      const finish = (): void => {
        // What came before a break still lies in the request.
        for (let rest; end === 'aborted' && !isHeld && !isOver && (rest = req.read() as Buffer | null);)
          onData(rest);
        if (isHeld || isOver) return;
        stop();
        if (end === 'ended') resolve();
        else reject(new BodyAborted());
      };
      const goOn = (): void => {
        isHeld = false;
        heardMs = this.#clock.nowMs();
        if (end) finish();
        else if (!isOver) req.resume();
      };
      const onData = (bytes: Buffer): void => {
        this.#receivedBytes += bytes.length;
        heardMs = this.#clock.nowMs();
        try {
          const taking = take(bytes);
          if (!taking) return;
          isHeld = true;
          req.pause();
          taking.then(goOn, fail);
        } catch (error) {
          fail(error as Error);
        }
      };
      const onEnd = (): void => {
        end ??= 'ended';
        if (!isHeld) finish();
      };
      const onClose = (): void => {
        end ??= 'aborted';
        req.off('data', onData);
        if (!isHeld) finish();
      };
      const watch = (): void => {
        if (isOver || end) return;
        const leftMs = isHeld ? IDLE_MS : heardMs + IDLE_MS - this.#clock.nowMs();
        if (leftMs > 0) idling = this.#clock.after(leftMs, watch, { background: true });
        else fail(new Problem('request-timeout', `Nothing arrived for ${IDLE_MS / 1000} s.`));
      };

      this.#fail = fail;
      req.on('data', onData);
      req.on('end', onEnd);
      req.on('close', onClose);
      if (req.destroyed && !req.readableEnded) return onClose();
      // A short body comes with its head: most never need to be watched.
      process.nextTick(() => {
        if (req.complete || isOver) return;
        try {
          this.#leave ??= this.#guests.enter(req);
          watch();
        } catch (error) {
          fail(error as Error);
        }
      });
    });
  }

  /** Waits for something else than bytes, unless `refuse` comes first. One at a time. */
  async unlessRefused(promise: Promise<void>): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      promise.then(resolve, reject);
    });
  }

  /** Reads no more: what is pending and every later call throws `problem`. */
  refuse(problem: Problem): void {
    this.#refusal ??= problem;
    this.#fail?.(this.#refusal);
  }

  /** Lets the request go. What was not read stays unread. */
  close(): void {
    this.#deadline?.cancel();
    this.#leave?.();
    this.#openDoors.delete(this);
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('too-large', `This body must not be longer than ${maxBytes} bytes.`);
}

function ignore(): void {}
