import type { Clock, Timer } from '../../base/clock';
import { isSameSecret } from '../../base/same-secret';
import type { AmfObject } from '../rtmp/amf0';
import { Channel } from './channel';
import type { Received } from './messages';
import { Waiters } from './waiters';

/** Whoever publishes: one connection's publish. */
export interface Publisher {
  readonly vibeId: string;
  readonly token: string;
  /** Whether its connection still stands. */
  readonly isAlive: boolean;
  /** Ends it at once; `unpublish` is called on the way. */
  close(): void;
}

export interface ChannelsEvents {
  published(publish: { vibeId: string; token: string }): void;
  unpublished(end: { vibeId: string; token: string; aacFrames: number }): void;
  /** So much has been received of what is published, where that has changed; at most every 20 ms. */
  received(counts: Received[]): void;
  /** Some numbers of listeners are other ones than before; at most every 100 ms. */
  listeners(counts: { vibeId: string; listeners: number }[]): void;
  cut(cut: { vibeId: string; reason: string }): void;
}

/** Listeners of a name that nobody announced stay so long without a publisher. */
const UNANNOUNCED_HOLD_MS = 10_000;
/** HLS players are seconds behind: the playlist and the last segments stay for them. */
const HLS_GRACE_MS = 30_000;
const LISTENERS_EVERY_MS = 100;
/** About an AAC frame: the relay knows to a frame what this process had when it dies, and needs no message for each. */
const RECEIVED_EVERY_MS = 20;

interface Publish {
  readonly publisher: Publisher;
  aacFrames: number;
}

interface Entry {
  readonly channel: Channel;
  announced: boolean;
  /** It ends with its publisher. */
  retiring: boolean;
  publish?: Publish;
  holdTimer?: Timer;
}

/** All streams there are: which exist, who publishes them, and when they are over. */
export class Channels {
  readonly #clock: Clock;
  readonly #events: ChannelsEvents;
  readonly #current = new Map<string, Entry>();
  /** The token of each vibe's newest encoder, until it is shown: it opens one publish. */
  readonly #expected = new Map<string, string>();
  /** Streams that are over, for their HLS, by vibe: the newest of each. */
  readonly #over = new Map<string, Channel>();
  /** Players that came before their stream. */
  readonly #awaited = new Map<string, Waiters<Channel>>();
  readonly #changed = new Set<Channel>();
  #changedTimer: Timer | undefined;
  /** Publishes of which something was received since that was last told. */
  readonly #heard = new Set<Publish>();
  #heardTimer: Timer | undefined;
  #lastStampMs = 0;
  #onlyExpected = false;

  constructor(clock: Clock, events: ChannelsEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /**
   * A vibe exists: its listeners may come now and stay until it is retired. What anybody else published under its name is
   * over.
   * @param isPrivate whether only holders of tickets may listen
   */
  announce(vibeId: string, isPrivate = false): void {
    let entry = this.#current.get(vibeId);
    const isForeign = entry && !entry.announced && entry.publish !== undefined;
    if (entry && (entry.retiring || isForeign || isPrivate !== (entry.channel.holders !== undefined))) {
      this.#finish(entry);
      entry = undefined;
    }
    entry ??= this.#open(vibeId, isPrivate);
    entry.announced = true;
    entry.holdTimer?.cancel();
  }

  /** The next publish of an announced vibe comes with this token; whoever shows another one, or none, is not its encoder. */
  expect(vibeId: string, token: string): void {
    this.#expected.set(vibeId, token);
  }

  /** From now on nobody publishes under names that belong to no vibe, either. */
  refuseUnexpected(): void {
    this.#onlyExpected = true;
  }

  /** A ticket to a private vibe is good from now on. */
  admit(vibeId: string, ticket: string): void {
    this.#current.get(vibeId)?.channel.holders?.admit(ticket);
  }

  /** A ticket is good no more, also for what is left of a vibe that was over lately. */
  expel(vibeId: string, ticket: string): void {
    this.#current.get(vibeId)?.channel.holders?.expel(ticket);
    this.#over.get(vibeId)?.holders?.expel(ticket);
  }

  /** A vibe is over as soon as nobody publishes it. */
  retire(vibeId: string): void {
    this.#expected.delete(vibeId);
    const entry = this.#current.get(vibeId);
    if (!entry?.announced) return;
    entry.announced = false;
    entry.retiring = true;
    if (!entry.publish) this.#finish(entry);
  }

  /** @returns why this publisher may not publish, or nothing where it may */
  publish(publisher: Publisher): string | undefined {
    const { vibeId, token } = publisher;
    let entry = this.#current.get(vibeId);
    if (entry?.announced || this.#onlyExpected) {
      const expected = this.#expected.get(vibeId);
      if (expected === undefined || !isSameSecret(token, expected))
        return `${vibeId} is published by its encoder alone.`;
      this.#expected.delete(vibeId);
    }
    const older = entry?.publish?.publisher;
    if (entry && older) {
      // The newer encoder of a vibe takes over from the older one.
      if (older.isAlive && !entry.announced) return `${vibeId} is published already.`;
      older.close();
    }
    // A stream that was only waiting for its last publisher is over now, and this is another one.
    if (this.#current.get(vibeId) !== entry) entry = undefined;
    entry ??= this.#open(vibeId);
    entry.holdTimer?.cancel();
    entry.publish = { publisher, aacFrames: 0 };
    return undefined;
  }

  /** @throws {Error} where it is not AAC that the relay can pass on */
  audio(publisher: Publisher, body: Buffer): void {
    const entry = this.#entryOf(publisher);
    if (!entry?.publish || !entry.channel.audio(body)) return;
    entry.publish.aacFrames += 1;
    this.#hear(entry.publish);
    if (entry.publish.aacFrames > 1) return;
    this.#events.published({ vibeId: publisher.vibeId, token: publisher.token });
  }

  metadata(publisher: Publisher, members: AmfObject): void {
    this.#entryOf(publisher)?.channel.metadata(members);
  }

  unpublish(publisher: Publisher): void {
    const entry = this.#entryOf(publisher);
    if (!entry?.publish) return;
    const { vibeId, token } = publisher;
    const { aacFrames } = entry.publish;
    this.#heard.delete(entry.publish);
    delete entry.publish;
    this.#events.unpublished({ vibeId, token, aacFrames });
    if (entry.retiring) this.#finish(entry);
    else if (!entry.announced)
      entry.holdTimer = this.#clock.after(UNANNOUNCED_HOLD_MS, () => this.#finish(entry), {
        background: true,
      });
  }

  /** The stream of this name; where there is none, waits up to `limitMs` for one to begin. */
  async find(vibeId: string, limitMs: number): Promise<Channel | undefined> {
    const channel = this.#current.get(vibeId)?.channel;
    if (channel || limitMs <= 0) return channel;
    let waiters = this.#awaited.get(vibeId);
    if (!waiters) this.#awaited.set(vibeId, (waiters = new Waiters()));
    try {
      return await waiters.wait(this.#clock, limitMs);
    } finally {
      if (waiters.size === 0 && this.#awaited.get(vibeId) === waiters) this.#awaited.delete(vibeId);
    }
  }

  /** A stream that was over lately and has no successor yet. */
  lately(vibeId: string): Channel | undefined {
    return this.#current.has(vibeId) ? undefined : this.#over.get(vibeId);
  }

  /** The stream that has this segment: one that runs or was over lately. */
  withSegment(vibeId: string, name: string): Channel | undefined {
    const channels = [this.#current.get(vibeId)?.channel, this.#over.get(vibeId)];
    return channels.find((channel) => channel?.hls.segment(name) !== undefined);
  }

  /** Ends all streams. */
  close(): void {
    for (const waiters of this.#awaited.values()) waiters.release();
    for (const entry of [...this.#current.values()]) this.#finish(entry);
    this.#heardTimer?.cancel();
    this.#changedTimer?.cancel();
    this.#tellListeners();
  }

  #entryOf(publisher: Publisher): Entry | undefined {
    const entry = this.#current.get(publisher.vibeId);
    return entry?.publish?.publisher === publisher ? entry : undefined;
  }

  #open(vibeId: string, isPrivate = false): Entry {
    // Two streams of one name never share a stamp, even within a millisecond.
    const stampMs = Math.max(this.#clock.epochMs(), this.#lastStampMs + 1);
    this.#lastStampMs = stampMs;
    const channel: Channel = new Channel({
      vibeId,
      stamp: stampMs.toString(36),
      // Seconds run faster than segments are made: numbers rise over a restart of this process, too, and players
      // that follow the same playlist see it go on.
      firstSequence: Math.max(Math.floor(stampMs / 1_000), this.#over.get(vibeId)?.hls.nextSequence ?? 0),
      isPrivate,
      clock: this.#clock,
      onListeners: () => this.#listenersChanged(channel),
      onCut: (reason) => this.#events.cut({ vibeId, reason }),
    });
    const entry: Entry = { channel, announced: false, retiring: false };
    this.#current.set(vibeId, entry);
    this.#awaited.get(vibeId)?.resolve(channel);
    return entry;
  }

  #finish(entry: Entry): void {
    const { channel } = entry;
    entry.retiring = false;
    entry.publish?.publisher.close();
    entry.holdTimer?.cancel();
    if (this.#current.get(channel.vibeId) === entry) this.#current.delete(channel.vibeId);
    channel.end();
    this.#over.set(channel.vibeId, channel);
    // The timer knows a name only: a stream that a later one of its name has followed is let go at once.
    const { vibeId, stamp } = channel;
    this.#clock.after(HLS_GRACE_MS, () => this.#forget(vibeId, stamp), { background: true });
  }

  #forget(vibeId: string, stamp: string): void {
    if (this.#over.get(vibeId)?.stamp === stamp) this.#over.delete(vibeId);
  }

  #hear(publish: Publish): void {
    this.#heard.add(publish);
    this.#heardTimer ??= this.#clock.after(RECEIVED_EVERY_MS, () => this.#tellReceived(), {
      background: true,
    });
  }

  #tellReceived(): void {
    this.#heardTimer = undefined;
    const counts = [...this.#heard].map(({ publisher: { vibeId, token }, aacFrames }) => ({
      vibeId,
      token,
      aacFrames,
    }));
    this.#heard.clear();
    if (counts.length > 0) this.#events.received(counts);
  }

  #listenersChanged(channel: Channel): void {
    this.#changed.add(channel);
    this.#changedTimer ??= this.#clock.after(LISTENERS_EVERY_MS, () => this.#tellListeners(), {
      background: true,
    });
  }

  #tellListeners(): void {
    this.#changedTimer = undefined;
    const counts = new Map<string, number>();
    for (const { vibeId } of this.#changed)
      counts.set(vibeId, this.#current.get(vibeId)?.channel.listeners ?? 0);
    this.#changed.clear();
    if (counts.size > 0)
      this.#events.listeners([...counts].map(([vibeId, listeners]) => ({ vibeId, listeners })));
  }
}
