import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Clock, Timer } from '../../base/clock';
import type { Logger } from '../../base/logger';

export interface HlsFilesOptions {
  /** Where SRS writes an app's playlists and segments. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** As long as the embedded media server keeps a vibe's HLS: players fetch what they have not heard yet. */
const GRACE_MS = 30_000;
/** A daemon that starts leaves the files of those before it that long: their creators may be back in a moment. */
const SWEEP_AFTER_MS = 60_000;

/** `ID.m3u8`, what it is written as before, and its segments: `ID-TIMESTAMP-NUMBER.ts`. */
const HLS_FILE = /^([A-Za-z0-9][A-Za-z0-9_-]*?)(?:\.m3u8(?:\.tmp|\.temp)?|-\d+-\d+\.ts(?:\.tmp|\.temp)?)$/;

/**
 * Tidies up after SRS, which leaves the last playlist and segments of every stream lying, and served, for ever. (It has a
 * setting for that, which does nothing before 7.0.137.)
 */
export class HlsFiles {
  readonly #options: HlsFilesOptions;
  readonly #kept = new Set<string>();
  readonly #timers = new Map<string, Timer>();
  readonly #sweep: Timer;
  #working = Promise.resolve();

  constructor(options: HlsFilesOptions) {
    this.#options = options;
    this.#sweep = options.clock.after(SWEEP_AFTER_MS, () => this.#remove((id) => !this.#isOurs(id)), {
      background: true,
    });
  }

  /** There is such a vibe: its files stay. */
  keep(vibeId: string): void {
    this.#kept.add(vibeId);
    this.#timers.get(vibeId)?.cancel();
    this.#timers.delete(vibeId);
  }

  /** The vibe is over: its files go after a while. */
  forget(vibeId: string): void {
    if (!this.#kept.delete(vibeId)) return;
    const timer = this.#options.clock.after(
      GRACE_MS,
      () => {
        this.#timers.delete(vibeId);
        this.#remove((id) => id === vibeId && !this.#kept.has(id));
      },
      { background: true },
    );
    this.#timers.set(vibeId, timer);
  }

  /** Waits for what is being removed. What is to go later stays: the next daemon finds it. */
  async close(): Promise<void> {
    this.#sweep.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    await this.#working;
  }

  #isOurs(vibeId: string): boolean {
    return this.#kept.has(vibeId) || this.#timers.has(vibeId);
  }

  #remove(isOver: (vibeId: string) => boolean): void {
    this.#working = this.#working.then(async () => {
      const { directory, logger } = this.#options;
      const names = await readdir(directory).catch(() => []);
      for (const name of names) {
        const vibeId = HLS_FILE.exec(name)?.[1];
        if (vibeId === undefined || !isOver(vibeId)) continue;
        await rm(path.join(directory, name), { force: true }).catch((error: unknown) =>
          logger.warn({ err: error, name }, 'a file of SRS could not be removed'),
        );
      }
    });
  }
}
