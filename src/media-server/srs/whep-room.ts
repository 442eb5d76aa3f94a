import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../../base/clock';
import type { Logger } from '../../base/logger';
import type { FfmpegTools } from './ffmpeg-child';
import type { Hook } from './hook';
import type { SrsRtcApi } from './rtc-api';
import type { RtcTickets } from './rtc-tickets';
import { WhepFeeder } from './whep-feeder';

export const WHEP_VHOST = 'whep';

/** What a room needs of the gateway. */
export interface WhepHouse {
  readonly api: Pick<SrsRtcApi, 'offer' | 'end'>;
  readonly tickets: RtcTickets;
  readonly tools: FfmpegTools;
  /** Base of RTMP URLs, without the stream: `rtmp://127.0.0.1:1935/live`. */
  readonly rtmpUrl: string;
  /** Marks the relay's own players, that are no listeners: what stands behind the `?` of the URL that they play. */
  readonly ownPlayerQuery: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface WhepRoomEvents {
  /** The number of listeners changed. */
  listeners(): void;
  /** Nobody has listened for a while, or it cannot be fed: it is closed, and not to be used again. */
  over(): void;
}

/** One browser that listens. */
interface WhepListener {
  readonly location: string;
  /** As SRS's hook named it. */
  clientId: string;
  readonly sinceMs: number;
  readonly ended: (cause: string) => void;
}

/** Stays for who comes back at once, e.g. when a page is loaded again. */
const LINGER_MS = 8_000;
/** What the API lists can be older than a listener by this. */
const SETTLE_MS = 15_000;
const MAX_LISTENERS = 500;

/** Everybody who hears one vibe by WebRTC, and the feeder that they share. */
export class WhepRoom {
  readonly vibeId: string;
  readonly stream: string;
  readonly #house: WhepHouse;
  readonly #events: WhepRoomEvents;
  readonly #feeder: WhepFeeder;
  readonly #listeners = new Map<string, WhepListener>();
  /** Client ids that the hooks told of before the answer was here. */
  readonly #early = new Map<string, string>();
  /** SRS is being told that these are over. */
  readonly #ending = new Set<Promise<void>>();
  #joining = 0;
  #revokePublish: () => void = () => undefined;
  #linger: Timer | undefined;
  #isOver = false;

  constructor(vibeId: string, house: WhepHouse, events: WhepRoomEvents) {
    this.vibeId = vibeId;
    // A name of its own for each room: what SRS still holds of an older one is in nobody's way.
    this.stream = `${vibeId}-${randomBytes(6).toString('hex')}`;
    this.#house = house;
    this.#events = events;
    const { tools, clock, rtmpUrl } = house;
    this.#feeder = new WhepFeeder({
      ...{ tools, clock, logger: house.logger.child({ vibeId }) },
      sourceUrl: () => `${rtmpUrl}/${vibeId}?${house.ownPlayerQuery}`,
      targetUrl: () => this.#targetUrl(),
      // It dies with its vibe, which is no failure then: whoever listened has been sent away.
      isNeeded: () => this.#isNeeded,
      onGivenUp: () => this.close('not-fed'),
    });
    this.#lingerOn();
  }

  get count(): number {
    return this.#listeners.size;
  }

  get feederPid(): number | undefined {
    return this.#feeder.pid;
  }

  get isFull(): boolean {
    return this.#listeners.size >= MAX_LISTENERS;
  }

  /**
   * Lets a browser in.
   * @param ended told once, when it is gone
   * @throws {Problem} as `SrsRtcApi.offer`
   */
  async join(
    sdp: string,
    ended: (cause: string) => void,
  ): Promise<{ sdp: string; end(cause: string): void }> {
    const { api, tickets, clock } = this.#house;
    const { stream } = this;
    this.#linger?.cancel();
    this.#joining += 1;
    const { token, revoke } = tickets.issue('on_play', WHEP_VHOST, stream);
    try {
      const answer = await api.offer({ door: 'whep', vhost: WHEP_VHOST, stream, token, sdp });
      const { location } = answer;
      const clientId = this.#early.get(token) ?? '';
      this.#listeners.set(token, { location, clientId, sinceMs: clock.nowMs(), ended });
      if (this.#isOver) this.#end(token, 'over');
      else this.#events.listeners();
      return { sdp: answer.sdp, end: (cause) => this.#end(token, cause) };
    } finally {
      revoke();
      this.#early.delete(token);
      this.#joining -= 1;
      if (!this.#isNeeded) this.#lingerOn();
    }
  }

  /** Hears of a hook of this room's stream: who plays it, and who stopped. */
  heard(hook: Hook): void {
    const token = hook.query.get('token') ?? '';
    const listener = this.#listeners.get(token);
    if (hook.action === 'on_play' && listener) listener.clientId = hook.clientId;
    else if (hook.action === 'on_play') this.#early.set(token, hook.clientId);
    else if (hook.action === 'on_stop') this.#end(token, 'gone');
  }

  /** Ends those whom SRS no longer has: a hook may have been lost. */
  keepOnly(clientIds: ReadonlySet<string>, askedMs: number): void {
    for (const [token, { clientId, sinceMs }] of [...this.#listeners])
      if (!clientIds.has(clientId) && askedMs - sinceMs >= SETTLE_MS) this.#end(token, 'gone');
  }

  /** Ends everybody, and the feeder. Idempotent. */
  close(cause: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#linger?.cancel();
    this.#revokePublish();
    for (const token of [...this.#listeners.keys()]) this.#end(token, cause);
    this.#events.over();
  }

  /** Resolves when the feeder is gone and SRS knows who else is, after `close`. */
  async closed(): Promise<void> {
    await Promise.all([this.#feeder.close(), ...this.#ending]);
  }

  get #isNeeded(): boolean {
    return this.#listeners.size > 0 || this.#joining > 0;
  }

  #end(token: string, cause: string): void {
    const listener = this.#listeners.get(token);
    if (!listener) return;
    this.#listeners.delete(token);
    const ending = this.#house.api.end(listener.location).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    listener.ended(cause);
    if (this.#isOver) return;
    this.#events.listeners();
    if (!this.#isNeeded) this.#lingerOn();
  }

  #lingerOn(): void {
    if (this.#isOver) return;
    this.#linger?.cancel();
    this.#linger = this.#house.clock.after(LINGER_MS, () => this.close('nobody-listens'), {
      background: true,
    });
  }

  #targetUrl(): string {
    this.#revokePublish();
    const { token, revoke } = this.#house.tickets.issue('on_publish', WHEP_VHOST, this.stream);
    this.#revokePublish = revoke;
    return `${this.#house.rtmpUrl}/${this.stream}?vhost=${WHEP_VHOST}&token=${token}`;
  }
}
