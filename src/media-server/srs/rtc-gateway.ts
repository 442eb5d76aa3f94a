import { randomBytes } from 'node:crypto';
import type { PcmFormat } from '../../audio/pcm';
import type { Clock, Timer } from '../../base/clock';
import { once } from '../../base/closer';
import { Problem } from '../../base/errors';
import type { Logger } from '../../base/logger';
import type { Metrics } from '../../base/metrics';
import type { SrsApi } from './api';
import type { FfmpegTools } from './ffmpeg-child';
import { ALLOWED, type Hook, type Verdict } from './hook';
import type { VhostHooks } from './hook-desk';
import { SrsRtcApi } from './rtc-api';
import { type OpusParameters, SdpOffer } from './rtc-sdp';
import { RtcTickets } from './rtc-tickets';
import { WHEP_VHOST, type WhepHouse, WhepRoom } from './whep-room';
import { WHIP_VHOST, type WhipEvents, type WhipHouse, WhipSession } from './whip-session';

/** A browser's session, once SRS took it. */
export interface RtcSession {
  /** For the browser. */
  readonly answer: string;
  /** Ends it, in SRS too. Idempotent. */
  end(cause: string): void;
}

export interface RtcGatewayOptions {
  /** SRS's API, e.g. `http://127.0.0.1:1985`. */
  readonly apiUrl: string;
  /** SRS's API; closed with the gateway. */
  readonly api: Pick<SrsApi, 'clients' | 'streams' | 'kick' | 'close'>;
  /** Where encoders publish: `rtmp://127.0.0.1:1935/live`. Names SRS's host and the app of all streams. */
  readonly rtmpUrl: string;
  readonly rtcPort: number;
  readonly holdSeconds: number;
  readonly tools: FfmpegTools;
  /** See `WhepHouse`. */
  readonly ownPlayerQuery: string;
  /** Told when the number of a vibe's WebRTC listeners changed. */
  readonly onListeners: (vibeId: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** As a creator's WebSocket: `HOLD_SECONDS`, and at least this. */
const MIN_IDLE_MS = 10_000;
const RECONCILE_MS = 10_000;
/**
 * Asked of browsers that publish. They send mono at some 32 kbit/s unless the answer says otherwise (Chromium 156). At
 * 192 kbit/s Opus cannot be told from what went in, and what follows is one encode at AAC_BITRATE.
 */
const WHIP_OPUS: OpusParameters = { stereo: 1, maxaveragebitrate: 192_000 };
/** What is sent to browsers that listen. Chromium plays it in stereo only where its own offer says `stereo=1` as well. */
const WHEP_OPUS: OpusParameters = { stereo: 1, 'sprop-stereo': 1 };

/** WebRTC by way of SRS: browsers that publish become PCM, and vibes can be heard by browsers. */
export class RtcGateway {
  readonly #options: RtcGatewayOptions;
  readonly #house: WhipHouse & WhepHouse;
  readonly #publishers = new Map<string, WhipSession>();
  readonly #rooms = new Map<string, WhepRoom>();
  /** Streams of offers that SRS has not answered yet. */
  readonly #opening = new Set<string>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #reconciling: Timer;
  #isClosed = false;

  constructor(options: RtcGatewayOptions) {
    const { tools, clock, metrics, rtmpUrl, ownPlayerQuery } = options;
    this.#options = options;
    const rtmp = new URL(rtmpUrl);
    const host = rtmp.hostname.replace(/^\[|\]$/g, '');
    const app = rtmp.pathname.replace(/^\/|\/$/g, '');
    this.#house = {
      ...{ tools, clock, metrics, rtmpUrl, ownPlayerQuery },
      api: new SrsRtcApi({ baseUrl: options.apiUrl, app, clock }),
      tickets: new RtcTickets(app),
      rtcAddress: { host, port: options.rtcPort },
      idleMs: Math.max(MIN_IDLE_MS, options.holdSeconds * 1_000),
      logger: options.logger.child({ part: 'webrtc' }),
    };
    this.#reconciling = clock.every(RECONCILE_MS, () => void this.#reconcile(), { background: true });
    void this.#reconcile();
    metrics.onScrape(() => metrics.whepFeeders.set(this.#rooms.size));
  }

  /** Decides SRS's hooks for the vhost that browsers publish to. */
  readonly whipHooks: VhostHooks = { decide: (hook) => this.#decideWhip(hook) };

  /** Decides SRS's hooks for the vhost that browsers listen on. */
  readonly whepHooks: VhostHooks = { decide: (hook) => this.#decideWhep(hook) };

  /** Browsers that hear a vibe by WebRTC. */
  listenersOf(vibeId: string): number {
    return this.#rooms.get(vibeId)?.count ?? 0;
  }

  /**
   * Takes a browser's offer to publish.
   * @param events told of its audio, and of its end
   * @throws {Problem} `invalid-sdp` (400), `unusable-offer` (422), and as `SrsRtcApi.offer`
   */
  async publish(
    publish: { vibeId: string; offer: string; format: PcmFormat },
    events: WhipEvents,
  ): Promise<RtcSession> {
    const offer = new SdpOffer(publish.offer, 'sends');
    const { api, tickets, logger } = this.#house;
    this.#checkOpen();
    const stream = `${publish.vibeId}-${randomBytes(6).toString('hex')}`;
    const { token, revoke } = tickets.issue('on_publish', WHIP_VHOST, stream);
    this.#opening.add(stream);
    try {
      const sdp = offer.forMediaServer();
      const taken = await api.offer({ door: 'whip', vhost: WHIP_VHOST, stream, token, sdp });
      const answer = await this.#answer(offer, taken, WHIP_OPUS);
      const session = new WhipSession({
        ...{ stream, location: taken.location, format: publish.format, house: this.#house },
        audio: (pcm) => events.audio(pcm),
        ended: (cause) => {
          this.#publishers.delete(stream);
          this.#leave(session.close(cause));
          events.ended(cause);
        },
      });
      this.#publishers.set(stream, session);
      logger.info({ vibeId: publish.vibeId, stream }, 'a browser publishes by WHIP');
      return { answer, end: (cause) => session.end(cause) };
    } finally {
      revoke();
      this.#opening.delete(stream);
    }
  }

  /**
   * Takes a browser's offer to listen; the first for a vibe starts its feeder.
   * @param ended told once, when it is gone
   * @throws {Problem} as `publish`
   */
  async play(play: { vibeId: string; offer: string }, ended: (cause: string) => void): Promise<RtcSession> {
    const offer = new SdpOffer(play.offer, 'receives');
    this.#checkOpen();
    const room = this.#roomOf(play.vibeId);
    if (room.isFull)
      throw new Problem('not-ready', `${room.count} browsers listen already; take HTTP-FLV or HLS.`, {
        retryAfterSeconds: 10,
      });
    const session = await room.join(offer.forMediaServer(), ended);
    try {
      return { answer: offer.answer(session.sdp, WHEP_OPUS), end: (cause) => session.end(cause) };
    } catch (error) {
      session.end('refused');
      throw refused(error);
    }
  }

  /** Ends every session. Resolves when no process is left. Idempotent. */
  readonly close = once(async () => {
    this.#isClosed = true;
    this.#reconciling.cancel();
    for (const session of [...this.#publishers.values()]) session.end('closing');
    for (const room of [...this.#rooms.values()]) room.close('closing');
    await Promise.all(this.#leaving);
    this.#options.api.close();
  });

  #checkOpen(): void {
    if (this.#isClosed) throw new Problem('draining', 'The relay is restarting.', { retryAfterSeconds: 2 });
  }

  #roomOf(vibeId: string): WhepRoom {
    const existing = this.#rooms.get(vibeId);
    if (existing) return existing;
    const room = new WhepRoom(vibeId, this.#house, {
      listeners: () => this.#options.onListeners(vibeId),
      over: () => {
        this.#rooms.delete(vibeId);
        this.#leave(room.closed());
        this.#options.onListeners(vibeId);
      },
    });
    this.#rooms.set(vibeId, room);
    return room;
  }

  async #answer(
    offer: SdpOffer,
    { sdp, location }: { sdp: string; location: string },
    opus: OpusParameters,
  ): Promise<string> {
    try {
      return offer.answer(sdp, opus);
    } catch (error) {
      await this.#house.api.end(location);
      throw refused(error);
    }
  }

  #decideWhip(hook: Hook): Verdict {
    if (hook.action === 'on_publish' || hook.action === 'on_play') return this.#house.tickets.redeem(hook);
    if (hook.action === 'on_unpublish') this.#publishers.get(hook.stream)?.end('gone');
    return ALLOWED;
  }

  #decideWhep(hook: Hook): Verdict {
    const mayPass = hook.action === 'on_publish' || hook.action === 'on_play';
    const verdict = mayPass ? this.#house.tickets.redeem(hook) : ALLOWED;
    if (!verdict.allowed) return verdict;
    for (const room of this.#rooms.values()) if (room.stream === hook.stream) room.heard(hook);
    return verdict;
  }

  /** Hooks get lost, and this process may be a new one: what is here and what SRS has is made the same. */
  async #reconcile(): Promise<void> {
    const { api, clock, logger, metrics } = this.#options;
    const askedMs = clock.nowMs();
    try {
      const { streams } = await api.streams();
      const strange = streams.map(({ url }) => url).filter((url) => this.#isStrange(url));
      if (this.#rooms.size === 0 && strange.length === 0) return;
      const clients = await api.clients();
      const ids = new Set(clients.map(({ id }) => id));
      for (const room of this.#rooms.values()) room.keepOnly(ids, askedMs);
      for (const { id, url } of clients) {
        if (!strange.includes(url) || !this.#isStrange(url) || this.#isClosed) continue;
        // Nobody hears what it sends, and it does not know: it can only come again once it is cut off.
        logger.warn({ url, clientId: id }, 'a WebRTC session of an earlier relay is ended');
        metrics.srsKicks.inc({ reason: 'stray-webrtc' });
        await api.kick(id);
      }
    } catch {
      // No answer means "unknown": SRS's own watch says so in the log.
    }
  }

  /** Whether a stream, `whip/live/NAME` to SRS, is one of browsers and none of ours. */
  #isStrange(url: string): boolean {
    const [vhost, , stream = ''] = url.split('/');
    if (vhost === WHIP_VHOST) return !this.#publishers.has(stream) && !this.#opening.has(stream);
    return vhost === WHEP_VHOST && ![...this.#rooms.values()].some((room) => room.stream === stream);
  }

  #leave(leaving: Promise<void>): void {
    const done = leaving.finally(() => this.#leaving.delete(done));
    this.#leaving.add(done);
  }
}

function refused(error: unknown): Problem {
  if (error instanceof Problem && error.code !== 'invalid-sdp') return error;
  return new Problem('media-server-refused', 'The media server’s answer is none.');
}
