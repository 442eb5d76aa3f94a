import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/logger';
import { isSameSecret } from '../../base/same-secret';
import { StateMachine, type StateTable } from '../../base/state';
import type { PublishEnd } from '../media-server';
import type { StreamEntry } from './api';
import type { Guard, Hearing } from './guard';
import { ALLOWED, type Hook, refused, type Verdict } from './hook';

/**
 * How far a publish has come. `issued`: its URL was made; `accepted`: SRS asked, and was told yes; `heard`: its audio
 * came back out of SRS; `over`.
 */
export type PublishState = 'issued' | 'accepted' | 'heard' | 'over';

const PUBLISH_STATES: StateTable<PublishState> = {
  issued: ['accepted', 'over'],
  accepted: ['heard', 'over'],
  heard: ['over'],
  over: [],
};

export interface PublishersOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who hears a vibe's stream; none where there is no such vibe. */
  readonly guardOf: (vibeId: string) => Pick<Guard, 'begin' | 'playingSinceMs'> | undefined;
  /** A publish was accepted: SRS is to be asked about it soon. */
  readonly lookSoon: () => void;
  /** Ends a connection at SRS, in its own time. */
  readonly kick: (clientId: string, reason: string) => void;
  /** The URL of a vibe's stream, as SRS's API has it. */
  readonly urlOf: (vibeId: string) => string;
  readonly vibeIdOf: (url: string) => string | undefined;
  readonly events: {
    published(publish: { vibeId: string; token: string }): void;
    /** Nobody holds the name any more. */
    freed(vibeId: string, cause: string): void;
    /** Told once it is known what was heard of it: milliseconds after `freed`. */
    unpublished(end: PublishEnd): void;
    /** SRS holds a name busy for nobody. */
    ghost(vibeId: string): void;
  };
}

/** One encoder's life, as SRS sees it. */
interface Publish {
  readonly vibeId: string;
  readonly token: string;
  readonly machine: StateMachine<PublishState>;
  clientId: string;
  serviceId: string;
  acceptedMs: number;
  /** When SRS was first seen to get audio from it. */
  audioMs: number | undefined;
  /** Looks in a row that did not find it publishing. */
  missed: number;
  /** SRS took its audio and handed on none. */
  wasDeaf: boolean;
  /** What SRS hands on of it, from the moment that it was accepted. */
  hearing: Hearing | undefined;
}

/** SRS has handed on the first audio long before, unless it does not hand on any. */
const HEARD_WITHIN_MS = 3_000;
/** One look may be older than the hook; two are not. */
const LOOKS_THAT_AGREE = 2;
/** A second publish that SRS turns away after it was allowed is no accident any more. */
const GHOSTLY_PUBLISHES = 2;
/** The cause of a publish's end where it was SRS's own. */
export const RESTARTED = 'SRS restarted';

/**
 * Who publishes what, from the making of a publish URL to the end of the publish. Each token is good for one publish.
 * Believes the hooks at once, and the API where it says otherwise twice.
 */
export class Publishers {
  readonly #options: PublishersOptions;
  /** The newest life of each vibe's encoder. */
  readonly #newest = new Map<string, Publish>();
  /** Accepted and not over; of one vibe there can be more than one, while an older one goes. */
  readonly #accepted = new Set<Publish>();
  /** Publishers that nobody here accepted, and in how many looks they were. */
  #strays = new Map<string, number>();
  /** Publishes in a row that were allowed and came to nothing, by vibe. */
  readonly #ghostly = new Map<string, number>();
  #hasLooked = false;

  constructor(options: PublishersOptions) {
    this.#options = options;
  }

  /** Whether some publish has not proved itself yet, so that the next look at SRS should not wait. */
  get someUnheard(): boolean {
    return [...this.#accepted].some(({ machine }) => machine.state === 'accepted');
  }

  /** The client ids of all that publish. */
  get clientIds(): string[] {
    return [...this.#accepted].map(({ clientId }) => clientId).filter((id) => id !== '');
  }

  /** The client id of who publishes a vibe's stream now, which may be empty; none where nobody does. */
  holderOf(vibeId: string): string | undefined {
    for (const publish of this.#accepted) if (publish.vibeId === vibeId) return publish.clientId;
    return undefined;
  }

  /** A publish with this token will come. Those before it may not come any more. */
  expect(vibeId: string, token: string): void {
    this.#dismiss(vibeId, 'superseded');
    const { logger } = this.#options;
    const machine = new StateMachine('publish', PUBLISH_STATES, 'issued', (move) =>
      logger.debug({ vibeId, clientId: publish.clientId, ...move }, `publish ${move.to}`),
    );
    const publish: Publish = {
      ...{ vibeId, token, machine, clientId: '', serviceId: '', acceptedMs: 0 },
      ...{ audioMs: undefined, missed: 0, wasDeaf: false, hearing: undefined },
    };
    this.#newest.set(vibeId, publish);
  }

  /** Decides `on_publish`. */
  accept({ stream, clientId, serviceId, query }: Hook): Verdict {
    const publish = this.#newest.get(stream);
    if (!publish) return refused('no encoder publishes this vibe');
    if (!isSameSecret(query.get('token') ?? '', publish.token)) return refused('wrong token');
    if (publish.machine.state !== 'issued') return refused('the token was used before');
    const { clock, kick, lookSoon, guardOf } = this.#options;
    // SRS would find the name busy. Who is there has been given its time to go.
    const stale = this.holderOf(stream);
    if (stale) kick(stale, 'superseded');
    Object.assign(publish, { clientId, serviceId, acceptedMs: clock.nowMs() });
    this.#accepted.add(publish);
    publish.machine.move('accepted', 'on_publish');
    publish.hearing = guardOf(stream)?.begin(() => this.#onAudio(publish));
    lookSoon();
    return ALLOWED;
  }

  /** Takes `on_unpublish` and `on_close`. What is not known, or no longer, is let be. @returns whether it was known */
  gone({ action, clientId, query }: Hook): boolean {
    const token = query.get('token') ?? '';
    for (const publish of this.#accepted) {
      const isIt = clientId === '' ? token === publish.token : clientId === publish.clientId;
      if (!isIt) continue;
      this.#end(publish, action);
      return true;
    }
    return false;
  }

  /** What was known of a vibe's publisher is given up: it does not go, and SRS does not answer. */
  giveUp(vibeId: string): void {
    for (const publish of this.#accepted) if (publish.vibeId === vibeId) this.#end(publish, 'given up');
  }

  /** SRS is another process: only what that one was asked for is there. */
  restarted(service: string): void {
    this.#strays.clear();
    this.#ghostly.clear();
    for (const publish of this.#accepted) if (publish.serviceId !== service) this.#end(publish, RESTARTED);
  }

  /** Takes the API's word, which was asked for at `askedMs`. */
  correct(streams: readonly StreamEntry[], askedMs: number): void {
    const byUrl = new Map(streams.map((stream) => [stream.url, stream]));
    for (const publish of this.#accepted) {
      if (publish.acceptedMs < askedMs)
        this.#compare(publish, byUrl.get(this.#options.urlOf(publish.vibeId)), askedMs);
    }
    this.#kickStrays(streams);
  }

  /** The vibe is over: its tokens are good for nothing any more. */
  forget(vibeId: string): void {
    this.#dismiss(vibeId, 'vibe over');
    this.#newest.delete(vibeId);
    this.#ghostly.delete(vibeId);
  }

  #onAudio(publish: Publish): void {
    const { vibeId, token, machine } = publish;
    if (machine.state !== 'accepted') return;
    machine.move('heard', 'guard');
    this.#ghostly.delete(vibeId);
    this.#options.events.published({ vibeId, token });
  }

  /** Expects a vibe's newest publish no longer, where it has not come. */
  #dismiss(vibeId: string, cause: string): void {
    const newest = this.#newest.get(vibeId);
    if (newest?.machine.state !== 'issued') return;
    newest.machine.move('over', cause);
  }

  #compare(publish: Publish, entry: StreamEntry | undefined, askedMs: number): void {
    const { vibeId, machine } = publish;
    if (entry?.publishing && publish.clientId === '') publish.clientId = entry.publisherId;
    if (entry?.publishing && entry.publisherId === publish.clientId) {
      publish.missed = 0;
      if (entry.hasAudio) publish.audioMs ??= askedMs;
      const playingSinceMs = this.#options.guardOf(vibeId)?.playingSinceMs ?? askedMs;
      const unheardMs = askedMs - Math.max(publish.audioMs ?? askedMs, playingSinceMs);
      if (machine.state !== 'accepted' || unheardMs < HEARD_WITHIN_MS) return;
      this.#options.logger.warn({ vibeId, clientId: publish.clientId }, 'SRS hands on nothing of a publish');
      this.#options.kick(publish.clientId, 'unheard');
      publish.audioMs = askedMs;
      publish.wasDeaf = true;
      return;
    }
    publish.missed += 1;
    if (publish.missed < LOOKS_THAT_AGREE) return;
    const isGhostly = machine.state === 'accepted' && entry?.publishing !== true;
    this.#end(publish, 'not in the API');
    if (!isGhostly) return;
    const ghostly = (this.#ghostly.get(vibeId) ?? 0) + 1;
    this.#ghostly.set(vibeId, ghostly);
    if (ghostly >= GHOSTLY_PUBLISHES) this.#options.events.ghost(vibeId);
  }

  /**
   * Whoever publishes to our streams and asked nobody here was left by a daemon that died; or SRS is set up to ask
   * nobody. At the first look none of them is ours.
   */
  #kickStrays(streams: readonly StreamEntry[]): void {
    const known = new Set(this.clientIds);
    const strays = new Map<string, number>();
    for (const { url, publishing, publisherId } of streams) {
      const vibeId = this.#options.vibeIdOf(url);
      if (!publishing || publisherId === '' || vibeId === undefined || known.has(publisherId)) continue;
      const looks = (this.#strays.get(publisherId) ?? 0) + 1;
      strays.set(publisherId, looks);
      if (this.#hasLooked && looks < LOOKS_THAT_AGREE) continue;
      this.#options.logger.warn(
        { vibeId, clientId: publisherId },
        this.#hasLooked
          ? 'somebody publishes whom SRS did not ask about: are its hooks set?'
          : 'an earlier daemon’s encoder still publishes',
      );
      this.#options.kick(publisherId, 'stray');
    }
    this.#strays = strays;
    this.#hasLooked = true;
  }

  #end(publish: Publish, cause: string): void {
    const { vibeId, token, wasDeaf, hearing } = publish;
    this.#accepted.delete(publish);
    publish.machine.move('over', cause);
    this.#options.events.freed(vibeId, cause);
    const tell = (aacFrames: number | undefined): void =>
      this.#options.events.unpublished({ vibeId, token, ...(aacFrames === undefined ? {} : { aacFrames }) });
    if (wasDeaf || !hearing) tell(wasDeaf ? 0 : undefined);
    else void hearing.count(cause === RESTARTED).then(tell);
  }
}
