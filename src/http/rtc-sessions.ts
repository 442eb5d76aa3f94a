import { randomBytes } from 'node:crypto';

/** Who hangs up twice, or too late, is told that it worked. So many sessions that are over are remembered. */
const REMEMBER_OVER = 1_000;

/** The WebRTC sessions of browsers by the id in their URL. Who knows the id may end the session, so it cannot be guessed. */
export class RtcSessions {
  readonly #open = new Map<string, () => void>();
  /** Oldest first. */
  readonly #over = new Set<string>();

  /** @param end called when the browser ends the session. @returns the id */
  open(end: () => void): string {
    const id = randomBytes(18).toString('base64url');
    this.#open.set(id, end);
    return id;
  }

  /** The session is over, whoever ended it. */
  close(id: string): void {
    if (!this.#open.delete(id)) return;
    this.#over.add(id);
    for (const oldest of this.#over) {
      if (this.#over.size <= REMEMBER_OVER) break;
      this.#over.delete(oldest);
    }
  }

  /** @returns whether there is, or was, such a session */
  end(id: string): boolean {
    const end = this.#open.get(id);
    this.close(id);
    end?.();
    return end !== undefined || this.#over.has(id);
  }
}
