import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { sampleBytes } from '../audio/pcm';
import type { Clock, Timer } from '../base/clock';
import { once } from '../base/closer';
import type { Logger } from '../base/logger';
import type { Metrics } from '../base/metrics';
import { StateMachine, type StateTable } from '../base/state';
import { Backoff } from './backoff';
import { encoderCommand, type CommandOptions } from './command';
import type { Encoder, EncoderEvents, EncoderExit, EncoderOptions, EncoderState } from './encoder';
import { exitReason, type ProcessEnd } from './exit';
import type { FfmpegInfo } from './ffmpeg-path';
import { EncoderProcess } from './process';
import type { SpawnLimiter } from './spawn-limiter';
import { Watchdog } from './watchdog';

/** What all encoders of a daemon share. */
export interface EncoderHouse {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** As `Math.random`. */
  readonly random: () => number;
  readonly spawnLimiter: SpawnLimiter;
  readonly ffmpeg: FfmpegInfo;
  /** See `findLeash`. */
  readonly leash: readonly string[];
  /** See `childEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly aac: Pick<CommandOptions, 'aacBitrate' | 'aacCoder'>;
  /** Where a life publishes to; the token is new for each. */
  readonly publishUrl: (vibeId: string, token: string) => string;
  /** Calls `go` as soon as the vibe's next life may publish, which may be at once. @returns what takes it back */
  readonly whenClear: (vibeId: string, go: () => void) => Timer;
  /** While it is not, restarts wait for `retryNow`, and nothing is counted against the encoder. */
  readonly mediaServerUp: () => boolean;
}

/** Makes encoders; what a vibe is given. */
export type EncoderFactory = (options: EncoderOptions) => Encoder;

/**
 * `idle` both before the first start and after the end. `backoff` and `failed` have no process; `failed` is where a
 * person should look, and is left for a probe every 30 s.
 */
export const ENCODER_STATES: StateTable<EncoderState> = {
  idle: ['starting', 'backoff'],
  starting: ['running', 'stopping', 'backoff', 'failed'],
  running: ['stopping', 'backoff', 'failed'],
  stopping: ['idle'],
  backoff: ['starting', 'idle'],
  failed: ['starting', 'idle'],
};

/** Somebody says when the media server is back; this is for the case that nobody does. */
const GATE_LOOK_MS = 1_000;
const TOKEN_BYTES = 16;

/** One process, and what is known about it. */
interface Life {
  readonly process: EncoderProcess;
  readonly token: string;
  readonly watchdog: Watchdog;
  runningSinceMs: number | undefined;
}

/**
 * The supervisor of one vibe's FFmpeg. What is wanted (`run` from `start` on, `stop` for good from `end` or `close` on)
 * is kept apart from what is; every process is new, with a publish token of its own.
 */
export class SupervisedEncoder extends EventEmitter<EncoderEvents> implements Encoder {
  readonly #house: EncoderHouse;
  readonly #options: EncoderOptions;
  readonly #logger: Logger;
  readonly #machine: StateMachine<EncoderState>;
  readonly #backoff: Backoff;
  #wanted: 'nothing' | 'run' | 'stop' = 'nothing';
  #life: Life | undefined;
  #lives = 0;
  #lastExit: EncoderExit | undefined;
  /** The retry that is due at a time, or waits for its turn to spawn. */
  #pending: Timer | undefined;

  constructor(house: EncoderHouse, options: EncoderOptions) {
    super();
    this.#house = house;
    this.#options = options;
    this.#logger = house.logger.child({ vibeId: options.vibeId });
    this.#backoff = new Backoff(house.random);
    this.#machine = new StateMachine('encoder', ENCODER_STATES, 'idle', (move) => {
      const { pid, restarts } = this;
      this.#logger.info({ ...move, pid, restarts }, `encoder ${move.to}`);
      this.emit('state', move);
    });
  }

  get state(): EncoderState {
    return this.#machine.state;
  }

  get restarts(): number {
    return Math.max(0, this.#lives - 1);
  }

  get lastExit(): EncoderExit | undefined {
    return this.#lastExit;
  }

  get pid(): number | undefined {
    return this.#life?.process.pid;
  }

  get token(): string | undefined {
    return this.#life?.token;
  }

  get writable(): boolean {
    return this.#life !== undefined && this.#life.process.writable;
  }

  start(): void {
    if (this.#wanted !== 'nothing') return;
    this.#wanted = 'run';
    this.#tryToSpawn('wanted');
    // Nothing was spawned at once: say so.
    if (this.state === 'idle')
      this.#machine.move('backoff', this.#house.mediaServerUp() ? 'spawn limit' : 'media server down');
  }

  /** @throws {Error} where there is no process: the audio would be lost */
  write(bytes: Buffer): void {
    if (!this.#life) throw new Error('the encoder was written to while it had no process');
    this.#life.process.write(bytes);
  }

  /** The media server is back: what waits for a retry is tried now, whatever the delay. */
  retryNow(): void {
    if (this.#wanted !== 'run' || this.#life) return;
    this.#backoff.reset();
    this.#tryToSpawn('media server up');
  }

  readonly end = once(() => this.#stop('end'));

  readonly close = once(() => this.#stop('close'));

  async #stop(how: 'end' | 'close'): Promise<void> {
    this.#wanted = 'stop';
    this.#pending?.cancel();
    const life = this.#life;
    if (!life) {
      this.#machine.move('idle', how);
      return;
    }
    if (this.state !== 'stopping') this.#machine.move('stopping', how);
    life.watchdog.stop();
    await life.process[how]();
  }

  /** Spawns as soon as the media server is there and clear, and the limiter allows it; which may be at once. */
  #tryToSpawn(cause: string): void {
    this.#pending?.cancel();
    if (!this.#house.mediaServerUp()) {
      this.#pending = this.#house.clock.after(GATE_LOOK_MS, () => this.#tryToSpawn(cause), {
        background: true,
      });
      return;
    }
    const kind = this.#lives === 0 ? 'first' : 'again';
    this.#wait(
      (go) => this.#house.whenClear(this.#options.vibeId, go),
      () => {
        // It may have gone while it was waited for.
        if (!this.#house.mediaServerUp()) this.#tryToSpawn(cause);
        else
          this.#wait(
            (go) => this.#house.spawnLimiter.request(kind, go),
            () => this.#spawn(cause),
          );
      },
    );
  }

  /** Waits for leave, and keeps what takes the wish back. Where leave is given at once there is nothing to take back. */
  #wait(ask: (go: () => void) => Timer, go: () => void): void {
    let isServed = false;
    this.#pending = undefined;
    const ticket = ask(() => {
      isServed = true;
      this.#pending = undefined;
      go();
    });
    if (!isServed) this.#pending = ticket;
  }

  #spawn(cause: string): void {
    const { clock, ffmpeg, leash, environment, aac, publishUrl, metrics } = this.#house;
    const { vibeId, format } = this.#options;
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const outputUrl = publishUrl(vibeId, token);
    const process = new EncoderProcess({
      ...{ clock, leash, environment, secret: token },
      ...encoderCommand({ ffmpeg, format, ...aac, outputUrl }),
      ffmpegPath: ffmpeg.path,
      sampleBytes: sampleBytes(format),
    });
    const watchdog = new Watchdog({
      clock,
      sampleRate: format.sampleRate,
      watched: process,
      flowing: () => life.runningSinceMs !== undefined,
      onStall: () => process.killStalled(),
    });
    const life: Life = { process, token, watchdog, runningSinceMs: undefined };
    this.#life = life;
    this.#lives += 1;
    metrics.encoderStarts.inc();
    process.on('writable', () => this.emit('writable'));
    process.on('progress', ({ outTimeUs, totalSize }) => {
      if (this.state !== 'starting' || (outTimeUs === 0 && totalSize === 0)) return;
      life.runningSinceMs = clock.nowMs();
      this.#machine.move('running', 'progress');
    });
    process.on('exit', (end) => this.#onExit(life, end));
    this.#machine.move('starting', cause);
  }

  #onExit({ process, token, watchdog, runningSinceMs }: Life, end: ProcessEnd): void {
    watchdog.stop();
    this.#life = undefined;
    const exit: EncoderExit = {
      reason: exitReason(end),
      exitCode: end.exitCode,
      signal: end.signal,
      samplesFed: process.samplesFed,
      outTimeUs: process.outTimeUs,
      token,
      stderr: [...process.stderr],
    };
    this.#lastExit = exit;
    this.#house.metrics.encoderExits.inc({ reason: exit.reason });
    const wanted = this.#wanted === 'stop';
    if (!wanted || (exit.reason !== 'ended' && exit.reason !== 'stopped')) this.#warn(exit);
    // The state first: who hears of the exit may end this encoder, and must find it where it is.
    if (wanted) this.#machine.move('idle', exit.reason);
    else this.#retryLater(exit.reason, runningSinceMs);
    this.emit('exit', exit, wanted);
  }

  #retryLater(reason: string, runningSinceMs: number | undefined): void {
    const { clock, mediaServerUp } = this.#house;
    if (!mediaServerUp()) {
      this.#tryToSpawn('media server up');
      this.#machine.move('backoff', reason);
      return;
    }
    const nowMs = clock.nowMs();
    const { delayMs, hopeless } = this.#backoff.failed(
      nowMs,
      runningSinceMs === undefined ? 0 : nowMs - runningSinceMs,
    );
    this.#pending = clock.after(delayMs, () => this.#tryToSpawn('retry'), { background: true });
    this.#machine.move(hopeless ? 'failed' : 'backoff', reason);
  }

  #warn({ reason, exitCode, signal, samplesFed, outTimeUs, stderr }: EncoderExit): void {
    this.#logger.warn(
      { reason, exitCode, signal, samplesFed, outTimeUs, stderr },
      `an FFmpeg ended: ${reason}`,
    );
  }
}
