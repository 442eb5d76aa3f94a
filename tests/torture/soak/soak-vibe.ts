import { performance } from 'node:perf_hooks';
import { eventually } from '../../helpers/eventually';
import type { ContinuityEvent } from '../continuity/continuity';
import { TcpProxy } from '../faults/tcp-proxy';
import { CHUNK_SAMPLES, NumberedCreator } from '../suite/creator';
import type { Stage } from '../suite/stage';
import { ReturningCreator } from '../suite/websocket-creator';
import type { Checks } from './checks';
import type { HeardEvent } from './explain';
import { Reference } from './reference';
import { SoakEar } from './soak-ear';
import type { HeardInAll } from './stream-checker';

/** The ways in that the soak's creators take: numbered POSTs of PCM, or of base64 in JSON, and the WebSocket. */
export const DOORS = ['post', 'json', 'websocket'] as const;
export type Door = (typeof DOORS)[number];

const FRAME = 1_024;
/** What is held is a second; the rest is for a fault in between, and for a busy machine. */
const ENDS_WITHIN_MS = 60_000;

interface Parts {
  readonly stage: Stage;
  readonly checks: Checks;
  readonly vibeId: string;
  readonly seed: number;
  readonly door: Door;
  readonly ownerKey: string;
  readonly proxy: TcpProxy;
}

/** One vibe of the soak: its creator, a listener who is there before it and stays to its end, and what that one hears. */
export class SoakVibe {
  readonly vibeId: string;
  readonly door: Door;
  readonly creator: NumberedCreator | ReturningCreator;
  /** Between the creator and the relay. */
  readonly proxy: TcpProxy;
  readonly events: HeardEvent[] = [];
  readonly #parts: Parts;
  #ear!: SoakEar;
  /** What was heard in all; there when it is over. */
  heard: HeardInAll | undefined;
  /** What the relay says that it has lost, and put in, when it is over. */
  lostSamples = NaN;
  silenceSamples = NaN;

  private constructor(parts: Parts) {
    this.vibeId = parts.vibeId;
    this.door = parts.door;
    this.proxy = parts.proxy;
    this.#parts = parts;
    const reference = new Reference(parts.seed);
    const options = {
      apiUrl: `http://127.0.0.1:${parts.proxy.port}`,
      vibeId: parts.vibeId,
      seed: parts.seed,
      ownerKey: parts.ownerKey,
      chunk: (index: number) => reference.stereo(index * CHUNK_SAMPLES, CHUNK_SAMPLES),
      wrapping: parts.door === 'json' ? ('json' as const) : ('raw' as const),
    };
    this.creator = parts.door === 'websocket' ? new ReturningCreator(options) : new NumberedCreator(options);
  }

  /** On air, with a listener, from now on. */
  static async start(
    stage: Stage,
    checks: Checks,
    { vibeId, seed, door }: { vibeId: string; seed: number; door: Door },
  ): Promise<SoakVibe> {
    const ownerKey = await stage.claim(vibeId);
    const proxy = await TcpProxy.start(Number(new URL(stage.daemon.apiUrl).port));
    const vibe = new SoakVibe({ stage, checks, vibeId, seed, door, ownerKey, proxy });
    try {
      vibe.#ear = await SoakEar.open(stage.daemon.flvUrl(vibeId), (samples) =>
        checks.heard(vibeId, seed, samples),
      );
      checks.follow(vibeId, (event) => vibe.events.push(vibe.#placed(event)));
      vibe.creator.start();
      return vibe;
    } catch (error) {
      await proxy.close();
      throw error;
    }
  }

  /** Samples sent and acknowledged. */
  get sentSamples(): number {
    return this.creator.sentSamples;
  }

  get ear(): SoakEar {
    return this.#ear;
  }

  /** Sends no more, and ends the vibe: at once, or by staying away for too long. Resolves when all of it was checked. */
  async end({ isAbandoned = false } = {}): Promise<void> {
    const { stage, checks, vibeId, seed, ownerKey, proxy } = this.#parts;
    try {
      await this.creator.stop();
      // At once: silence would follow the last sample otherwise.
      if (!isAbandoned) await stage.end(vibeId, ownerKey);
      await eventually(
        `${vibeId} is over`,
        async () => {
          const status = await stage.daemon.status(vibeId);
          return (!status || status['state'] === 'ended') && !this.#ear.isConnected;
        },
        { withinMs: ENDS_WITHIN_MS, everyMs: 100 },
      );
      const { lostSamples, silenceSamples } = (await stage.daemon.status(vibeId)) ?? {};
      this.lostSamples = Number(lostSamples);
      this.silenceSamples = Number(silenceSamples);
    } finally {
      await this.#ear.leave();
      await proxy.close();
      this.heard = await checks.over(vibeId, seed);
      stage.ended.set(vibeId, performance.now());
    }
  }

  #placed({ kind, at, net, foreign }: ContinuityEvent): HeardEvent {
    const { arrivals } = this.#ear;
    const fromMs = arrivals.at(Math.floor(at / FRAME) - 1) ?? 0;
    const untilMs = arrivals.at(Math.ceil((at + foreign) / FRAME)) ?? fromMs;
    return { vibeId: this.vibeId, kind, net, foreign, fromMs, untilMs };
  }
}
