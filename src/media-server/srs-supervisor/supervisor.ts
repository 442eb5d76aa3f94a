import { EventEmitter } from 'node:events';
import type { Clock, Timer } from '../../base/clock';
import { once } from '../../base/closer';
import { EXIT_UNAVAILABLE, OperatorError } from '../../base/errors';
import type { Logger } from '../../base/logger';
import { srsConf, type SrsConfOptions } from '../srs/conf';
import { isKnown, type SrsVersion, versionText } from '../srs/lines';
import type { SrsDriver } from './driver';
import { Identity } from './identity';
import { knownBugs } from './known-bugs';
import { LogReader } from './log-line';
import { assertFilesLimit, clearHls, portFault, portsOf, writeConf } from './preflight';
import { presence } from './presence';
import { RestartWait } from './restart-wait';
import { SrsProcess } from './srs-process';

export interface SrsSupervisorOptions {
  readonly driver: SrsDriver;
  /** What the configuration is made from; the release is what the driver finds. */
  readonly conf: Omit<SrsConfOptions, 'version'>;
  /** Hidden in the log wherever it stands. */
  readonly hookSecret: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
}

interface SupervisorEvents {
  /** It answers, under this process id. */
  up: [{ pid: number }];
  /** It ended, or was ended. */
  down: [{ cause: string }];
}

/** It answers within half a second; the first time, a slow disk may take part in that. */
const START_WITHIN_MS = 10_000;
const LOOK_WHILE_STARTING_MS = 100;
const LOOK_MS = 1_000;
/** So many looks in a row without an answer mean that it hangs. Counted, not timed: a supervisor that slept itself blames nobody. */
const MAX_UNANSWERED = 5;

/**
 * Runs SRS: writes the configuration for the release that it finds, starts it, looks every second whether it answers, and
 * starts it again when it ends or hangs.
 */
export class SrsSupervisor extends EventEmitter<SupervisorEvents> {
  readonly #options: SrsSupervisorOptions;
  readonly #logger: Logger;
  readonly #log: LogReader;
  readonly #wait: RestartWait;
  readonly #identity: Identity;
  readonly #apiUrl: string;
  #release = '';
  #confFile = '';
  #process: SrsProcess | undefined;
  #up = false;
  #upSinceMs = 0;
  #startedAtMs = 0;
  #unanswered = 0;
  #looking: Timer | undefined;
  #restartTimer: Timer | undefined;
  #starting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #closing = false;

  constructor(options: SrsSupervisorOptions) {
    super();
    this.#options = options;
    this.#logger = options.logger.child({ part: 'srs' });
    this.#log = new LogReader([options.hookSecret ?? '']);
    this.#wait = new RestartWait(options.random ?? Math.random);
    this.#apiUrl = `http://127.0.0.1:${options.conf.apiPort}`;
    this.#identity = new Identity({
      sharesPids: options.driver.sharesPids,
      directory: options.conf.directory,
      logger: this.#logger,
    });
  }

  /** Of SRS, while there is one. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * Resolves when SRS answers for the first time. Idempotent.
   * @throws {OperatorError} 69 where it cannot run, 73 where its directory cannot be written to; one line for an operator
   */
  readonly start = once(async () => {
    const { driver, conf } = this.#options;
    const version = await driver.version();
    this.#release = versionText(version);
    this.#assess(version);
    if (driver.kind === 'binary') assertFilesLimit();
    this.#confFile = writeConf(conf.directory, srsConf({ ...conf, version }));
    await driver.sweep();
    const fault = await portFault(portsOf(conf));
    if (fault !== undefined) throw new OperatorError(`${fault}.`, EXIT_UNAVAILABLE);
    const refusal = await driver.refusal(this.#confFile);
    if (refusal !== undefined)
      throw new OperatorError(
        `SRS ${versionText(version)} refuses its configuration: ${refusal}`,
        EXIT_UNAVAILABLE,
      );
    if (this.#closing) return;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#starting = { resolve, reject };
        this.#spawn();
      });
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      this.#starting = undefined;
    }
  });

  /** Ends SRS in order and waits for that. Idempotent. */
  readonly close = once(async () => {
    this.#closing = true;
    this.#restartTimer?.cancel();
    this.#looking?.cancel();
    await this.#process?.close();
  });

  #assess(version: SrsVersion): void {
    const release = this.#release;
    if (version.major < 5)
      throw new OperatorError(`SRS ${release} is too old: 5 or newer is needed.`, EXIT_UNAVAILABLE);
    if (!isKnown(version))
      this.#logger.warn(
        { release },
        'SRS is newer than anything that was looked at; it gets what the newest known release takes',
      );
    for (const { id, what, remedy } of knownBugs(version))
      this.#logger.warn({ release, bug: id, remedy }, `this SRS has a known fault: ${what}`);
  }

  #spawn(): void {
    const { driver, conf, clock } = this.#options;
    clearHls(conf.directory);
    this.#startedAtMs = clock.nowMs();
    this.#unanswered = 0;
    const process = new SrsProcess({
      command: driver.command(this.#confFile),
      directory: conf.directory,
      clock,
      logger: this.#logger,
      log: this.#log,
      kill: () => driver.kill(),
      onExit: (cause) => this.#exited(cause),
    });
    this.#process = process;
    this.#lookEvery(LOOK_WHILE_STARTING_MS, process);
  }

  #lookEvery(periodMs: number, process: SrsProcess): void {
    this.#looking?.cancel();
    let underWay = false;
    this.#looking = this.#options.clock.every(periodMs, () => {
      if (underWay) return;
      underWay = true;
      void this.#look(process).finally(() => (underWay = false));
    });
  }

  async #look(process: SrsProcess): Promise<void> {
    const { clock } = this.#options;
    const found = await presence(this.#apiUrl, clock).catch((error: unknown) => error as Error);
    if (process !== this.#process || this.#closing) return;
    if (found instanceof Error) this.#unanswered += 1;
    // Another's answer says nothing of ours: where it hangs, its share of the looks still goes unanswered.
    if (found instanceof Error || !this.#identity.isOurs(found, process.pid)) {
      const why = found instanceof Error ? found.message : 'another SRS answers';
      if (this.#up && this.#unanswered >= MAX_UNANSWERED)
        process.kill(`hung: ${why}, ${MAX_UNANSWERED} times`);
      if (!this.#up && clock.nowMs() - this.#startedAtMs >= START_WITHIN_MS)
        process.kill(`no answer within ${START_WITHIN_MS / 1000} s of its start: ${why}`);
      return;
    }
    this.#unanswered = 0;
    if (this.#up) return;
    this.#up = true;
    this.#upSinceMs = clock.nowMs();
    this.#lookEvery(LOOK_MS, process);
    const startMs = Math.round(this.#upSinceMs - this.#startedAtMs);
    this.#logger.info({ release: this.#release, pid: process.pid, startMs }, 'SRS runs');
    this.#starting?.resolve();
    this.emit('up', { pid: process.pid ?? 0 });
  }

  #exited(cause: string): void {
    const { clock } = this.#options;
    const healthyMs = this.#up ? clock.nowMs() - this.#upSinceMs : 0;
    this.#process = undefined;
    this.#up = false;
    this.#looking?.cancel();
    this.emit('down', { cause });
    if (this.#closing) return this.#starting?.resolve();
    if (this.#starting)
      return this.#starting.reject(new OperatorError(`SRS does not start: ${cause}`, EXIT_UNAVAILABLE));
    this.#restart(cause, healthyMs);
  }

  #restart(cause: string, healthyMs: number): void {
    const waitMs = Math.round(this.#wait.next(healthyMs));
    this.#logger.error({ cause, waitMs }, 'SRS ended: it is started again');
    this.#restartTimer = this.#options.clock.after(waitMs, () => void this.#again());
  }

  async #again(): Promise<void> {
    const { driver, conf } = this.#options;
    await driver.sweep();
    const fault = await portFault(portsOf(conf));
    if (this.#closing) return;
    if (fault !== undefined) return this.#restart(fault, 0);
    try {
      this.#spawn();
    } catch (error) {
      // A directory that may no longer be written to, or no memory for another process.
      this.#restart((error as Error).message, 0);
    }
  }
}
