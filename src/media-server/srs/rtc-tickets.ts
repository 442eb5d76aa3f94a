import { createHash, randomBytes } from 'node:crypto';
import { ALLOWED, type Hook, type HookAction, refused, type Verdict } from './hook';

/** What somebody may do once: publish to a stream, or play it. */
interface Ticket {
  readonly action: HookAction;
  readonly vhost: string;
  readonly stream: string;
}

/**
 * One-time tickets for SRS's hooks: whoever publishes or plays WebRTC has one that this daemon put into its URL. SRS asks
 * nobody else, so a request to its API that did not come from here is refused.
 */
export class RtcTickets {
  readonly #app: string;
  readonly #tickets = new Map<string, Ticket>();

  /** @param app of all streams, e.g. `live` */
  constructor(app: string) {
    this.#app = app;
  }

  /** Tickets that nobody has shown yet. */
  get open(): number {
    return this.#tickets.size;
  }

  /** @returns the token to show, and how to take the ticket back */
  issue(action: HookAction, vhost: string, stream: string): { token: string; revoke: () => void } {
    const token = randomBytes(24).toString('base64url');
    const key = sha256(token);
    this.#tickets.set(key, { action, vhost, stream });
    return { token, revoke: () => void this.#tickets.delete(key) };
  }

  /** Takes the ticket that a hook shows, and uses it up. */
  redeem(hook: Hook): Verdict {
    const key = sha256(hook.query.get('token') ?? '');
    const ticket = this.#tickets.get(key);
    if (!ticket) return refused('no ticket of this relay');
    const fits =
      ticket.action === hook.action &&
      ticket.vhost === hook.vhost &&
      ticket.stream === hook.stream &&
      hook.app === this.#app;
    if (!fits) return refused('a ticket for something else');
    this.#tickets.delete(key);
    return ALLOWED;
  }
}

/** Tickets are found by this: how long a look takes says nothing of the tokens. */
function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
