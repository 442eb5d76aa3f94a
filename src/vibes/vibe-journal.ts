import path from 'node:path';
import type { PlayPosition } from '../audio/jitter-buffer';
import type { Clock, Timer } from '../base/clock';
import type { Config } from '../base/config';
import { Journal, readJournal } from '../base/journal';
import type { JournalMetrics } from '../base/journal-metrics';
import type { Logger } from '../base/logger';
import { isRunning, ownIdentity } from '../base/process-identity';
import { readProcessUsage } from '../base/process-usage';
import type { KnownEncoder } from '../encoder/stale-encoders';
import type { Vibe } from './vibe';
import {
  type PastVibe,
  type Played,
  RECORD_VERSION,
  recollect,
  type Recollection,
  type VibeRecord,
  type VibeRecorder,
} from './vibe-record';

export interface VibeJournalOptions {
  readonly config: Pick<Config, 'dataDir' | 'port' | 'holdSeconds'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: JournalMetrics;
}

/**
 * How often is looked how far each vibe is played: every two AAC frames. What was played since the last look would be
 * played again where its creator sends it again; but FFmpeg dies with the daemon, and what it was given in its last two
 * frames nobody has heard. Each look is one asynchronous write, whatever the number of vibes: on a machine where that
 * costs 0.16 ms of CPU, 0.4 % of a core.
 */
const LOOK_MS = 40;
/** A sign of life at least this often while there is a vibe: the next daemon knows how long nobody was there. */
const ALIVE_MS = 1_000;
/** A daemon that lived no longer than this after its start may have died of what it restored. */
const QUICK_DEATH_MS = 5_000;
/** After so many of them, one after the other, the vibes are given up, so that the relay comes up at all. */
const MAX_QUICK_DEATHS = 5;

/**
 * Remembers vibes over the daemon's own death, and nothing over a clean stop: who they are and whose, how far they are
 * played, their participants' leases, and their FFmpegs. Nobody tells it of audio: it looks, off the path that audio takes.
 */
export class VibeJournal implements VibeRecorder {
  readonly #options: VibeJournalOptions;
  readonly #journal: Journal;
  readonly #past: Recollection;
  readonly #quickDeaths: number;
  /** Whether another daemon lives that writes the same file. */
  readonly #isTaken: boolean;
  /** Those that are not over. */
  readonly #vibes = new Map<string, Vibe>();
  readonly #changed = new Set<Vibe>();
  /** As it was recorded last. */
  readonly #positions = new WeakMap<Vibe, PlayPosition>();
  readonly #encoders = new WeakMap<Vibe, Pick<KnownEncoder, 'pid' | 'startTicks'>>();
  readonly #startedAtMs: number;
  #look: Timer | undefined;
  #aliveMs = 0;

  /** Reads what a daemon before this one left, and says in the log what it found. */
  constructor(options: VibeJournalOptions) {
    const { config, clock, logger, metrics } = options;
    this.#options = options;
    this.#startedAtMs = clock.epochMs();
    // Relays that share a directory by mistake differ in their ports.
    const file = path.join(config.dataDir, `vibes-${config.port}.journal`);
    this.#journal = new Journal({ path: file, clock, logger, metrics, snapshot: () => this.#snapshot() });
    const { records, damagedLines, fault } = readJournal(file);
    if (fault) logger.error({ err: fault, file }, 'the journal cannot be read: nothing is restored');
    if (damagedLines > 0)
      logger.warn(
        { file, damagedLines, records: records.length },
        'the journal is torn: damaged lines left out',
      );
    metrics.damagedLines.inc(damagedLines);
    this.#past = recollect(records as VibeRecord[]);
    const { writer, lastMs } = this.#past;
    this.#isTaken = writer !== undefined && isRunning(writer);
    if (this.#isTaken)
      logger.error({ file, pid: writer?.pid }, 'another relay writes this journal: this one does without');
    const wasQuick = writer !== undefined && lastMs - writer.startedAtMs < QUICK_DEATH_MS;
    this.#quickDeaths = wasQuick ? writer.quickDeaths + 1 : 0;
  }

  /** Why vibes would not survive the daemon's death now, in words; nothing where they would. */
  get fault(): string | undefined {
    if (this.#isTaken) return 'another relay writes the journal of this one';
    const { fault } = this.#journal;
    return fault === undefined ? undefined : `the journal in DATA_DIR cannot be written (${fault})`;
  }

  /** The FFmpegs of a daemon that died. */
  get encoders(): readonly KnownEncoder[] {
    return this.#isTaken ? [] : this.#past.encoders;
  }

  /**
   * Brings back the vibes of a daemon that died, and records from now on.
   * @param bringBack makes a vibe of what is known of it
   */
  begin(bringBack: (past: PastVibe) => void): void {
    if (this.#isTaken) return;
    for (const past of this.#worthBringingBack()) this.#bringBack(past, bringBack);
    this.#journal.begin();
    this.#look = this.#options.clock.every(LOOK_MS, () => this.#lookAround(), { background: true });
  }

  changed(vibe: Vibe): void {
    if (this.#changed.size === 0) queueMicrotask(() => this.#record());
    this.#changed.add(vibe);
    if (!vibe.isOver) this.#vibes.set(vibe.id, vibe);
    else if (this.#vibes.get(vibe.id) === vibe) this.#vibes.delete(vibe.id);
  }

  leased(vibeId: string, participantId: string, untilEpochMs: number | undefined): void {
    // A lease of a vibe that is not recorded yet would be nobody's.
    this.#record();
    if (untilEpochMs === undefined) this.#append({ type: 'left', vibeId, participantId });
    else this.#append({ type: 'leases', vibeId, leases: [[participantId, untilEpochMs]] });
  }

  /** Resolves when everything that has happened so far is in the file, or could not be written. */
  async written(): Promise<void> {
    this.#record();
    await this.#journal.written();
  }

  /** Records no more, and leaves everything to the next daemon: this one could not start. */
  async freeze(): Promise<void> {
    this.#look?.cancel();
    await this.#journal.freeze();
  }

  /** A clean stop: no vibe is left, and no file. */
  async close(): Promise<void> {
    this.#look?.cancel();
    await this.#journal.close();
  }

  #worthBringingBack(): readonly PastVibe[] {
    const { logger, clock, config } = this.#options;
    const { vibes, lastMs } = this.#past;
    const awayMs = Math.max(0, clock.epochMs() - lastMs);
    const facts = { vibes: vibes.length, awayMs };
    if (vibes.length === 0) return [];
    if (awayMs > config.holdSeconds * 1000) {
      logger.warn(facts, 'the relay was away for longer than HOLD_SECONDS: its vibes are over');
      return [];
    }
    if (this.#quickDeaths > MAX_QUICK_DEATHS) {
      logger.error(
        { ...facts, deaths: this.#quickDeaths },
        'the relay died soon after each of its starts: its vibes are given up',
      );
      return [];
    }
    logger.warn(facts, 'the relay was killed: its vibes go on');
    return vibes;
  }

  #bringBack(past: PastVibe, bringBack: (past: PastVibe) => void): void {
    const { logger, metrics } = this.#options;
    const { vibeId, heldMs, position } = past;
    try {
      bringBack(past);
      metrics.vibesRestored.inc();
      metrics.lostSeconds.inc(heldMs / 1000);
      logger.info({ vibeId, heldMs, sequence: position?.sequence }, 'a vibe goes on: what was held is lost');
    } catch (error) {
      logger.error({ err: error, vibeId }, 'a vibe could not be brought back');
    }
  }

  #append(record: VibeRecord): void {
    this.#journal.append(record);
  }

  /** Everything that happened to these vibes in one go is one record each. */
  #record(): void {
    for (const vibe of this.#changed) this.#append(this.#recordOf(vibe));
    this.#changed.clear();
  }

  #lookAround(): void {
    if (this.#vibes.size === 0) return;
    const { clock } = this.#options;
    const isSignOfLife = clock.nowMs() - this.#aliveMs >= ALIVE_MS;
    const played = this.#played(isSignOfLife);
    if (played.length === 0 && !isSignOfLife) return;
    if (isSignOfLife) this.#aliveMs = clock.nowMs();
    this.#append({ type: 'played', atMs: clock.epochMs(), vibes: played });
  }

  /** @param all also of vibes of which nothing was played since */
  #played(all: boolean): Played[] {
    const played: Played[] = [];
    for (const vibe of this.#vibes.values()) {
      const { position } = vibe.pipeline;
      if (!position || vibe.state === 'starting') continue;
      const before = this.#positions.get(vibe);
      const { sequence, numbered } = position;
      const isSame = before?.sequence === sequence && before.numbered === numbered;
      if (isSame && !all) continue;
      this.#positions.set(vibe, position);
      played.push([vibe.id, sequence, numbered, vibe.bufferedMs]);
    }
    return played;
  }

  #snapshot(): VibeRecord[] {
    const { clock } = this.#options;
    const relay = {
      ...ownIdentity(),
      version: RECORD_VERSION,
      startedAtMs: this.#startedAtMs,
      quickDeaths: this.#quickDeaths,
    };
    const vibes = [...this.#vibes.values()].flatMap((vibe): VibeRecord[] => [
      this.#recordOf(vibe),
      { type: 'leases', vibeId: vibe.id, leases: vibe.participants.leases() },
    ]);
    const played = { type: 'played' as const, atMs: clock.epochMs(), vibes: this.#played(true) };
    return [{ type: 'relay', ...relay }, ...vibes, played];
  }

  #recordOf(vibe: Vibe): VibeRecord {
    const { id: vibeId, creator, network, title, startedAtMs, format, state } = vibe;
    if (vibe.isOver) return { type: 'over', vibeId };
    const { keyHash, subject, isPrivate } = vibe.ownership;
    const facts = { vibeId, creator, subject, isPrivate, network, title, startedAtMs, keyHash, format };
    return { type: 'vibe', ...facts, ending: state === 'ending', encoder: this.#encoderOf(vibe) };
  }

  #encoderOf(vibe: Vibe): Pick<KnownEncoder, 'pid' | 'startTicks'> | undefined {
    const pid = vibe.pipeline.encoder?.pid;
    if (pid === undefined) return undefined;
    const known = this.#encoders.get(vibe);
    if (known?.pid === pid) return known;
    const encoder = { pid, startTicks: readProcessUsage(pid)?.startTicks ?? '' };
    this.#encoders.set(vibe, encoder);
    return encoder;
  }
}
