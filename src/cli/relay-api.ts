import { EXIT_UNAVAILABLE, OperatorError } from '../base/errors';
import { pause } from './pause';

/** How long an answer of the relay may take. */
const ANSWER_MS = 10_000;

/** The parts of a vibe's status that the commands show. Everything may be absent: the relay may be of another age. */
export interface VibeStatus {
  readonly state?: string;
  readonly creator?: string;
  readonly isStreaming?: boolean;
  readonly listeners?: number;
  readonly participantCount?: number;
  readonly bufferedMs?: number;
  /** The last number taken in turn; after the relay's death, the last that was played. */
  readonly sequence?: number;
  readonly streamingUrl?: string;
  readonly hlsUrl?: string;
  readonly underruns?: number;
  readonly level?: { readonly peakDbfs?: number; readonly rmsDbfs?: number } | null;
}

/** What `join` answers. */
export interface Joined extends VibeStatus {
  readonly participantId: string;
  readonly leaseSeconds: number;
  readonly streamingUrl: string;
}

/** The relay's answer was a refusal: its one sentence, and its code. */
export class Refusal extends OperatorError {
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, options: { status: number; code: string; retryAfterSeconds?: number }) {
    super(message, EXIT_UNAVAILABLE);
    this.name = 'Refusal';
    this.status = options.status;
    this.code = options.code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The relay cannot be reached. */
export class Unreachable extends OperatorError {
  constructor(url: string, cause: unknown) {
    super(
      `No relay answers at ${url} (${reason(cause)}). Is it running? \`vibesflow doctor\` looks around.`,
      EXIT_UNAVAILABLE,
    );
    this.name = 'Unreachable';
  }
}

/** The relay's HTTP doors, for the commands. */
export class RelayApi {
  /** The base URL, without a slash at its end. */
  readonly url: string;
  /** The headers that show the token; none without one. */
  readonly credentials: Readonly<Record<string, string>>;

  /**
   * @param token for a relay with AUTH_MODE=token, or the owner key of a claimed vibe
   * @throws {OperatorError} exit code 64, where `url` is none
   */
  constructor(url: string, token?: string) {
    if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url))
      throw new OperatorError(`${JSON.stringify(url)} is not a URL such as http://localhost:3001`, 64);
    this.url = url.replace(/\/+$/, '');
    this.credentials = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Where PCM goes: `http:` for POSTs, `ws:` for the WebSocket door. */
  audioUrl(vibeId: string, query: Record<string, string | undefined>, scheme: 'http' | 'ws'): string {
    const url = new URL(`${this.url}/stream/${encodeURIComponent(vibeId)}/audio`);
    if (scheme === 'ws') url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, value);
    return url.href;
  }

  /** Starts a vibe. One of the same name that is still playing out is waited for, some ten seconds. */
  async start(vibeId: string, options: { creator?: string; title?: string }): Promise<VibeStatus> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#post<VibeStatus>(`/stream/${vibeId}/start`, options);
      } catch (error) {
        if (!(error instanceof Refusal && error.code === 'vibe-ending') || tries === 10) throw error;
        await pause((error.retryAfterSeconds ?? 1) * 1000);
      }
    }
  }

  /** Ends a vibe; what is buffered is played out after the answer, or thrown away without `drain`. */
  async end(vibeId: string, options: { creator?: string; drain: boolean }): Promise<void> {
    await this.#post(`/stream/${vibeId}/end`, options);
  }

  async join(vibeId: string, participantId: string): Promise<Joined> {
    return this.#post(`/stream/${vibeId}/join`, { participantId });
  }

  async leave(vibeId: string, participantId: string): Promise<void> {
    await this.#post(`/stream/${vibeId}/leave`, { participantId });
  }

  /** `undefined` where there is no such vibe (any more). */
  async status(vibeId: string): Promise<VibeStatus | undefined> {
    try {
      return await this.call<VibeStatus>(`/stream/${vibeId}`);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * Asks the relay anything.
   * @throws {Unreachable} @throws {Refusal}
   */
  async call<T>(path: string, init: RequestInit = {}, withinMs = ANSWER_MS): Promise<T> {
    const url = `${this.url}${path}`;
    let response: Response;
    let text: string;
    try {
      const headers = { ...this.credentials, ...(init.headers as Record<string, string> | undefined) };
      response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(withinMs) });
      text = await response.text();
    } catch (error) {
      throw new Unreachable(this.url, error);
    }
    const answer = parse(text);
    if (response.ok && answer) return answer as T;
    throw refusal(response, answer, this.url);
  }

  async #post<T>(path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.call<T>(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function refusal(response: Response, answer: Record<string, unknown> | undefined, url: string): Refusal {
  const { title, detail, code } = (answer ?? {}) as { title?: string; detail?: string; code?: string };
  const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
  const sentence = detail ?? title ?? `${url} answered ${response.status}, and not like a relay.`;
  return new Refusal(`The relay refused (${response.status}${code ? ` ${code}` : ''}): ${sentence}`, {
    status: response.status,
    code: code ?? '',
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  });
}

/** The base URL of a daemon on this machine: an address to bind to is not always one to connect to. */
export function localUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  if (host === '0.0.0.0' || host === '::') return `http://localhost:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Why a connection failed, without the layers of wrapping around it. */
export function reason(error: unknown): string {
  let inner = error as NodeJS.ErrnoException & { cause?: unknown; errors?: readonly unknown[] };
  for (let next: unknown = inner; next; next = inner.cause ?? inner.errors?.[0]) inner = next as typeof inner;
  return inner.name === 'TimeoutError' ? 'no answer in time' : (inner.code ?? inner.message);
}
