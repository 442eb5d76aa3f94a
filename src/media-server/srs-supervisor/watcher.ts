import type { Clock, Timer } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { versionText } from '../srs/lines';
import { knownBugs } from './known-bugs';
import { presence } from './presence';

export interface SrsWatcherOptions {
  /** e.g. `http://127.0.0.1:1985` */
  readonly apiUrl: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_MS = 2_000;
/** One lost answer is no outage. */
const MAX_UNANSWERED = 3;

/** Watches an SRS that somebody else runs, and says in the log what becomes of it. Touches nothing. */
export class SrsWatcher {
  readonly #options: SrsWatcherOptions;
  readonly #logger: Logger;
  #timer: Timer | undefined;
  #service: string | undefined;
  #release: string | undefined;
  #unanswered = 0;
  #saidDown = false;
  #underWay = false;

  constructor(options: SrsWatcherOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ part: 'srs' });
  }

  start(): void {
    this.#timer = this.#options.clock.every(LOOK_MS, () => void this.look());
    void this.look();
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** One look; the next one waits for it. */
  async look(): Promise<void> {
    if (this.#underWay) return;
    this.#underWay = true;
    try {
      const { pid, service, version } = await presence(this.#options.apiUrl, this.#options.clock);
      const release = versionText(version);
      if (release !== this.#release) {
        for (const { id, what, remedy } of knownBugs(version))
          this.#logger.warn({ release, bug: id, remedy }, `this SRS has a known fault: ${what}`);
      }
      if (service !== this.#service)
        this.#logger.info({ release, pid }, this.#service ? 'SRS was started anew' : 'SRS runs');
      else if (this.#saidDown) this.#logger.info({ release, pid }, 'SRS answers again');
      [this.#service, this.#release, this.#unanswered, this.#saidDown] = [service, release, 0, false];
    } catch (error) {
      this.#unanswered += 1;
      // At the start there is nothing to wait for.
      const isDown = this.#unanswered >= MAX_UNANSWERED || this.#service === undefined;
      if (isDown && !this.#saidDown) {
        this.#logger.error(
          { cause: (error as Error).message, apiUrl: this.#options.apiUrl },
          'SRS does not answer',
        );
        this.#saidDown = true;
      }
    } finally {
      this.#underWay = false;
    }
  }
}
