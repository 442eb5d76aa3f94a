import type { PcmFormat } from '../audio/pcm';
import type { Doorkeeper } from '../auth/doorkeeper';
import type { Clock } from '../base/clock';
import type { Config } from '../base/config';
import type { Problem } from '../base/errors';
import type { Logger } from '../base/logger';
import type { Metrics } from '../base/metrics';
import type { VibeRegistry } from '../vibes/registry';
import { Audit } from './audit';
import { Guests } from './guests';
import { Urls } from './urls';

/** What the media server is right now, as `/health` shows it. */
export interface MediaServerFacts {
  readonly kind: string;
  readonly up: boolean;
  readonly version: string;
}

/** Who decides the media server's callbacks. */
export interface MediaHooks {
  /**
   * @param action e.g. `on_publish`
   * @returns code 0 to allow; a player's may be to come
   * @throws {Problem} `invalid-field` (400) where the body is no such callback
   */
  answer(action: string, body: unknown): { readonly code: number } | Promise<{ readonly code: number }>;
}

/** A browser's WebRTC session, once the media server took it. */
export interface WebRtcSession {
  /** SDP, for the browser. */
  readonly answer: string;
  /** Idempotent. */
  end(cause: string): void;
}

/** Browsers that send and listen by WebRTC, where the media server has that. */
export interface WebRtc {
  /**
   * Takes an offer to send. `audio` gets PCM in the format asked for, in pieces of any length; `ended` is told once.
   * @throws {Problem} `invalid-sdp` (400), `media-server-busy` (409), `unusable-offer` (422), `media-server-refused`
   *   (502), `not-ready` (503)
   */
  publish(
    publish: { readonly vibeId: string; readonly offer: string; readonly format: PcmFormat },
    events: { audio(pcm: Buffer): void; ended(cause: string): void },
  ): Promise<WebRtcSession>;
  /** Takes an offer to listen. `ended` is told once. @throws {Problem} as `publish` */
  play(
    play: { readonly vibeId: string; readonly offer: string },
    ended: (cause: string) => void,
  ): Promise<WebRtcSession>;
}

/** What the doors need of the house. */
export interface HttpHouse {
  readonly config: Config;
  readonly registry: VibeRegistry;
  readonly doorkeeper: Doorkeeper;
  mediaServerHealth(): MediaServerFacts;
  /** Why vibes would not survive the daemon's death now, in words; nothing where they would. */
  journalFault(): string | undefined;
  readonly hooks: MediaHooks;
  /** None with the embedded media server. */
  readonly webRtc?: WebRtc | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Of this program. */
  readonly version: string;
}

/** Something that lasts, and has to be told when the listener closes: a body that is being read, a WebSocket. */
export interface OpenDoor {
  refuse(problem: Problem): void;
}

/** The house as the doors see it, and what is open at the moment. */
export interface HttpContext extends HttpHouse {
  readonly urls: Urls;
  readonly openDoors: Set<OpenDoor>;
  readonly guests: Guests;
  readonly audit: Audit;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
}

export function createContext(house: HttpHouse): HttpContext {
  const { config, registry, doorkeeper, hooks, webRtc, clock, logger, metrics, version } = house;
  const guests = new Guests(config, clock);
  return {
    config,
    registry,
    doorkeeper,
    mediaServerHealth: () => house.mediaServerHealth(),
    journalFault: () => house.journalFault(),
    hooks,
    webRtc,
    clock,
    logger,
    metrics,
    version,
    urls: new Urls(config),
    openDoors: new Set(),
    guests,
    audit: new Audit({ logger, clock, networkOf: guests.networkOf }),
    startedMs: clock.nowMs(),
  };
}
