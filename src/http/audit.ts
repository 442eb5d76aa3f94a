import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock';
import type { Problem, ProblemCode } from '../base/errors';
import type { Logger } from '../base/logger';
import { pathOf } from './problem';

/** Refusals that say something of who asked, and not only of what was asked. */
const TOLD: readonly ProblemCode[] = [
  'unauthorized',
  'invalid-token',
  'forbidden',
  'wrong-creator',
  'wrong-owner-key',
  'creator-conflict',
];
/** So many refusals are written down within a window; whoever only tries could fill a disk otherwise. */
const MAX_LINES = 50;
const WINDOW_MS = 10_000;
const MAX_PATH_CHARS = 256;

/**
 * Writes into the log who was refused, and who started and ended vibes: lines with a member `audit`. No token is in them, and
 * no URL beyond its path.
 */
export class Audit {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #networkOf: (req: IncomingMessage) => string | undefined;
  #windowUntilMs = -Infinity;
  #lines = 0;
  #untold = 0;

  /** @param networkOf where a request comes from; nothing for this machine */
  constructor(options: {
    readonly logger: Logger;
    readonly clock: Clock;
    readonly networkOf: (req: IncomingMessage) => string | undefined;
  }) {
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#networkOf = options.networkOf;
  }

  /** Somebody was refused. What has nothing to do with who it was is left out, and so is what comes too often. */
  refused(req: IncomingMessage, { code }: Problem): void {
    if (!TOLD.includes(code)) return;
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#windowUntilMs) {
      this.#windowUntilMs = nowMs + WINDOW_MS;
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines > MAX_LINES) {
      this.#untold += 1;
      return;
    }
    const untold = this.#untold > 0 ? { untold: this.#untold } : {};
    this.#untold = 0;
    this.#logger.warn({ audit: 'refused', code, ...this.#about(req), ...untold }, 'refused');
  }

  /**
   * Somebody did what not everybody may.
   * @param by who, by name or by the subject of a token
   */
  done(
    req: IncomingMessage,
    act: { readonly act: string; readonly vibeId: string; readonly by?: string | undefined },
  ): void {
    this.#logger.info({ audit: 'done', ...act, ...this.#about(req) }, act.act);
  }

  #about(req: IncomingMessage): Record<string, unknown> {
    const url = (req as { originalUrl?: string }).originalUrl ?? req.url ?? '';
    return {
      method: req.method,
      path: pathOf(url).slice(0, MAX_PATH_CHARS),
      from: this.#networkOf(req) ?? 'this machine',
    };
  }
}
