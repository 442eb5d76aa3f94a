import { createHash } from 'node:crypto';

/** Who may play a private stream, by the tickets that the relay gave them, and who plays by each of them now. */
export class TicketHolders {
  /** What cuts each player off, by the hash of its ticket: finding one takes no longer the more of it was guessed. */
  readonly #players = new Map<string, Set<() => void>>();

  admit(ticket: string): void {
    const key = hash(ticket);
    if (!this.#players.has(key)) this.#players.set(key, new Set());
  }

  /** The ticket is good no more, and who plays by it is cut off. Idempotent. */
  expel(ticket: string): void {
    const key = hash(ticket);
    const players = this.#players.get(key);
    this.#players.delete(key);
    for (const cutOff of players ?? []) cutOff();
  }

  has(ticket: string): boolean {
    return this.#players.has(hash(ticket));
  }

  /**
   * Somebody begins to play.
   * @param cutOff called when the ticket is good no more; at once, where that is so already
   * @returns to be called when it has gone
   */
  enter(ticket: string, cutOff: () => void): () => void {
    const players = this.#players.get(hash(ticket));
    if (players) players.add(cutOff);
    else cutOff();
    return () => players?.delete(cutOff);
  }
}

function hash(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}
