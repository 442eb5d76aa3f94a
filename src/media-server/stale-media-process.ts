import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Clock, settlesWithin } from '../base/clock';
import type { Logger } from '../base/logger';
import { isRunning, ownIdentity, type ProcessIdentity } from '../base/process-identity';
import { readProcessUsage } from '../base/process-usage';

export interface StaleMediaProcessOptions {
  /** One for each RTMP port, in `DATA_DIR`. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Note {
  readonly daemon: ProcessIdentity;
  readonly process: ProcessIdentity;
}

/** The end of its program's path, whichever installation it is from. */
const PROGRAM = path.join('embedded', 'child.js');
/** SIGKILL ends a process within milliseconds, also one that is stopped; its ports are free then. */
const GONE_WITHIN_MS = 2_000;
const LOOK_MS = 10;

/**
 * The media server process of a daemon that died. Mostly it went with its daemon; one that hangs does not hear of that, and
 * keeps both ports. So each daemon notes down which process is its own, and the next one ends that.
 */
export class StaleMediaProcess {
  readonly #options: StaleMediaProcessOptions;
  /** Another daemon that lives has noted down its own there: this one will not get the ports. */
  #isOthers = false;

  constructor(options: StaleMediaProcessOptions) {
    this.#options = options;
  }

  /**
   * Ends the one that is noted down, where it is still there and its daemon is not. A process is only ended that has the
   * id, the start time and the program that it must have. Elsewhere than on Linux none is found. Resolves when it is gone.
   */
  async end(): Promise<void> {
    const { file, clock, logger } = this.#options;
    const note = readNote(file);
    this.#isOthers = note !== undefined && isRunning(note.daemon) && note.daemon.pid !== process.pid;
    if (!note || isRunning(note.daemon) || !isStillThere(note.process)) return;
    const { pid } = note.process;
    logger.warn({ pid }, 'the media server process of a daemon that died was still there: ended');
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      return;
    }
    const gone = new Promise<void>((resolve) => {
      const look = clock.every(LOOK_MS, () => {
        if (isRunning(note.process)) return;
        look.cancel();
        resolve();
      });
      clock.after(GONE_WITHIN_MS, () => look.cancel(), { background: true });
    });
    await settlesWithin(clock, GONE_WITHIN_MS, gone);
  }

  /** Notes down that this process is ours. */
  note(pid: number): void {
    if (this.#isOthers) return;
    const daemon = ownIdentity();
    const startTicks = readProcessUsage(pid)?.startTicks ?? '';
    const note: Note = { daemon, process: { pid, startTicks, bootId: daemon.bootId } };
    try {
      writeFileSync(this.#options.file, `${JSON.stringify(note)}\n`);
    } catch (error) {
      this.#options.logger.warn({ error }, 'which process is the media server cannot be noted down');
    }
  }

  /** It has ended: there is nothing to end for the next daemon. */
  forget(): void {
    if (!this.#isOthers) rmSync(this.#options.file, { force: true });
  }
}

function isStillThere(noted: ProcessIdentity): boolean {
  return isRunning(noted) && argumentsOf(noted.pid).some((argument) => argument.endsWith(PROGRAM));
}

function readNote(file: string): Note | undefined {
  try {
    const { daemon, process } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Note>;
    return daemon && process ? { daemon, process } : undefined;
  } catch {
    return undefined;
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
