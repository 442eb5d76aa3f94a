import { randomBytes } from 'node:crypto';
import type { Admissions } from '../media-server/media-server';
import type { VibeHouse, VibeOptions } from './vibe-house';

/** 192 bits: nobody guesses one. */
const TICKET_BYTES = 24;

/**
 * The tickets by which the participants of a private vibe play it: one each, as long as the lease is held. They are known to
 * this process and the media server only, and die with them; who joins again gets one that is good.
 */
export class PlayTickets {
  readonly #vibeId: string;
  readonly #admissions: Admissions;
  readonly #tickets = new Map<string, string>();

  constructor(vibeId: string, admissions: Admissions) {
    this.#vibeId = vibeId;
    this.#admissions = admissions;
  }

  /** A participant's, the same one each time. */
  of(participantId: string): string {
    const known = this.#tickets.get(participantId);
    if (known !== undefined) return known;
    const ticket = randomBytes(TICKET_BYTES).toString('base64url');
    this.#tickets.set(participantId, ticket);
    this.#admissions.admit(this.#vibeId, ticket);
    return ticket;
  }

  /** The participant has left: its players are cut off. */
  withdraw(participantId: string): void {
    const ticket = this.#tickets.get(participantId);
    if (ticket === undefined) return;
    this.#tickets.delete(participantId);
    this.#admissions.expel(this.#vibeId, ticket);
  }
}

/** The tickets of a vibe; nothing where everybody may play it. */
export function ticketsOf(
  { vibeId, isPrivate }: Pick<VibeOptions, 'vibeId' | 'isPrivate'>,
  { mediaServer }: Pick<VibeHouse, 'mediaServer'>,
): PlayTickets | undefined {
  return isPrivate && mediaServer.admissions ? new PlayTickets(vibeId, mediaServer.admissions) : undefined;
}
