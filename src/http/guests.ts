import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock';
import type { Config } from '../base/config';
import { Problem, type ProblemCode } from '../base/errors';
import { networkReader } from './client-address';

/** Wrong credentials are counted for so long. */
const WINDOW_MS = 60_000;
/** A creator's newer connection takes over from its older one: more at once are no creator's. */
const MAX_INGEST_PER_VIBE = 8;
/** Networks whose wrong credentials are remembered at once; beyond it the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;
/** What somebody gets who showed a credential that is none. */
const WRONG: readonly ProblemCode[] = ['invalid-token', 'wrong-owner-key'];

export type GuestsConfig = Pick<Config, 'trustProxy' | 'maxConnectionsPerAddress' | 'maxFailedLogins'>;

/** Who asks at the doors, by network: how many lasting connections each has, and how often it showed a wrong credential. */
export class Guests {
  /** The network that a request comes from; nothing for this machine itself, which is not limited. */
  readonly networkOf: (req: IncomingMessage) => string | undefined;
  readonly #config: GuestsConfig;
  readonly #clock: Clock;
  readonly #connections = new Map<string, number>();
  readonly #wrong = new Map<string, { times: number; readonly untilMs: number }>();

  readonly #shown = new WeakMap<IncomingMessage, string | undefined>();

  constructor(config: GuestsConfig, clock: Clock) {
    this.networkOf = networkReader(config);
    this.#config = config;
    this.#clock = clock;
  }

  /**
   * Takes note of something that lasts: a WebSocket, a body that does not come with its head.
   * @param ingestOf the vibe that it sends to
   * @returns to be called when it is over; idempotent
   * @throws {Problem} `too-many-requests` (429)
   */
  enter(req: IncomingMessage, ingestOf?: string): () => void {
    const network = this.networkOf(req);
    if (network === undefined) return nothing;
    const seats: [string, number][] = [[network, this.#config.maxConnectionsPerAddress]];
    if (ingestOf !== undefined) seats.push([`${network} ${ingestOf}`, MAX_INGEST_PER_VIBE]);
    const full = seats.find(([name, most]) => (this.#connections.get(name) ?? 0) >= most);
    if (full)
      throw new Problem('too-many-requests', `No more than ${full[1]} connections from one address.`, {
        retryAfterSeconds: 10,
      });
    for (const [name] of seats) this.#connections.set(name, (this.#connections.get(name) ?? 0) + 1);
    let isGone = false;
    return () => {
      if (isGone) return;
      isGone = true;
      for (const [name] of seats) this.#leave(name);
    };
  }

  /** Takes note of where a request that shows a credential comes from: who has hung up later has no address any more. */
  arrived(req: IncomingMessage): void {
    if (showsCredential(req)) this.#shown.set(req, this.networkOf(req));
  }

  /**
   * Takes note of what a request is refused for. Right credentials pass, however many wrong ones came from their address:
   * many people share one, and there is nothing to guess in 32 random bytes.
   * @returns what it is to be told: `too-many-requests` (429) for one wrong credential too many
   */
  refused(req: IncomingMessage, problem: Problem): Problem {
    if (!WRONG.includes(problem.code)) return problem;
    const network = this.#shown.get(req) ?? this.networkOf(req);
    if (network === undefined) return problem;
    const nowMs = this.#clock.nowMs();
    const seen = this.#wrong.get(network);
    if (!seen || seen.untilMs <= nowMs) {
      this.#remember(network, nowMs);
      return problem;
    }
    seen.times += 1;
    if (seen.times <= this.#config.maxFailedLogins) return problem;
    return new Problem('too-many-requests', 'There were too many wrong credentials from this address.', {
      retryAfterSeconds: Math.ceil((seen.untilMs - nowMs) / 1000),
    });
  }

  #remember(network: string, nowMs: number): void {
    // Oldest first: whoever begins anew goes to the end.
    this.#wrong.delete(network);
    this.#wrong.set(network, { times: 1, untilMs: nowMs + WINDOW_MS });
    for (const [oldest, { untilMs }] of this.#wrong) {
      if (untilMs > nowMs && this.#wrong.size <= MAX_REMEMBERED) break;
      this.#wrong.delete(oldest);
    }
  }

  #leave(name: string): void {
    const left = (this.#connections.get(name) ?? 0) - 1;
    if (left > 0) this.#connections.set(name, left);
    else this.#connections.delete(name);
  }
}

function showsCredential(req: IncomingMessage): boolean {
  return req.headers.authorization !== undefined || /[?&]token=/.test(req.url ?? '');
}

function nothing(): void {}
