import http from 'node:http';
import type { Clock } from '../../base/clock';

/**
 * Why SRS's API gave no answer of use.
 * - `refused`: nothing listens there, so SRS does not run
 * - `silent`: no answer in time, or the connection broke; says nothing about SRS's streams
 * - `wrong`: an answer that is not SRS's
 */
export type ApiFailure = 'refused' | 'silent' | 'wrong';

export class SrsApiError extends Error {
  readonly failure: ApiFailure;

  constructor(failure: ApiFailure, message: string) {
    super(message);
    this.name = 'SrsApiError';
    this.failure = failure;
  }
}

/** One start of SRS. Both are new with the next. */
export interface SrsService {
  readonly service: string;
  readonly pid: string;
}

/** A stream that has a publisher or players. */
export interface StreamEntry {
  /** `/live/ID`, with the vhost in front where it is not the default one. */
  readonly url: string;
  readonly publishing: boolean;
  /** The publisher's client id; empty where there is none. */
  readonly publisherId: string;
  /** Whether the publisher has said how its audio is coded: FFmpeg does with its first frame. */
  readonly hasAudio: boolean;
  /** The publisher and all players. */
  readonly clients: number;
}

export interface ClientEntry {
  readonly id: string;
  /** As `StreamEntry.url`. */
  readonly url: string;
  readonly publishing: boolean;
}

export interface SrsApiOptions {
  /** e.g. `http://127.0.0.1:1985` */
  readonly baseUrl: string;
  readonly clock: Clock;
}

/** An answer takes a millisecond; SRS has one thread, and one that is that busy serves nobody well. */
const ANSWER_WITHIN_MS = 1_500;
/** SRS lists ten unless asked for more, and says nothing of those that it left out. */
const ALL = 1_000_000;
/** SRS closes a connection that is idle for 15 s; this side must be first. */
const IDLE_MS = 5_000;
const MAX_CONNECTIONS = 4;
/** Half a kilobyte a client: more of them than one SRS can serve. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
/** SRS's word for a client that it does not know, or no longer. */
const CLIENT_NOT_FOUND = 2049;

type Json = Readonly<Record<string, unknown>>;

/** SRS's HTTP API, as far as the relay needs it. Every call answers within 1.5 s, or throws. */
export class SrsApi {
  readonly #options: SrsApiOptions;
  readonly #agent = new http.Agent({ keepAlive: true, timeout: IDLE_MS, maxSockets: MAX_CONNECTIONS });

  constructor(options: SrsApiOptions) {
    this.#options = options;
  }

  /** What SRS calls itself, e.g. `7.0.18`. @throws {SrsApiError} */
  async version(): Promise<string> {
    const { data } = await this.#get('/api/v1/versions');
    return text(object(data)['version']);
  }

  /** Every stream, of all vhosts, and whose they are. @throws {SrsApiError} */
  async streams(): Promise<SrsService & { readonly streams: readonly StreamEntry[] }> {
    const answer = await this.#get(`/api/v1/streams/?count=${ALL}`);
    const streams = list(answer['streams']).map((entry) => {
      const publish = object(entry['publish']);
      const publishing = publish['active'] === true;
      return {
        url: text(entry['url']),
        publishing,
        // SRS goes on showing the last one.
        publisherId: publishing ? text(publish['cid']) : '',
        hasAudio: typeof entry['audio'] === 'object' && entry['audio'] !== null,
        clients: Number(entry['clients']) || 0,
      };
    });
    return { service: text(answer['service']), pid: String(answer['pid']), streams };
  }

  /** Every publisher and player. A long list where there are many listeners: not for every look. @throws {SrsApiError} */
  async clients(): Promise<readonly ClientEntry[]> {
    const answer = await this.#get(`/api/v1/clients/?count=${ALL}`);
    return list(answer['clients']).map((entry) => ({
      id: text(entry['id']),
      url: text(entry['url']),
      publishing: entry['publish'] === true,
    }));
  }

  /**
   * Ends a client's connection.
   * @returns whether there was such a client
   * @throws {SrsApiError}
   */
  async kick(clientId: string): Promise<boolean> {
    const answer = await this.#ask('DELETE', `/api/v1/clients/${encodeURIComponent(clientId)}`);
    if (answer['code'] !== 0 && answer['code'] !== CLIENT_NOT_FOUND)
      throw new SrsApiError('wrong', `SRS answered with code ${String(answer['code'])}`);
    return answer['code'] === 0;
  }

  /** Lets the connections go. */
  close(): void {
    this.#agent.destroy();
  }

  async #get(path: string): Promise<Json> {
    const answer = await this.#ask('GET', path);
    if (answer['code'] === 0) return answer;
    throw new SrsApiError('wrong', `SRS answered with code ${String(answer['code'])}`);
  }

  /** All that is asked may be asked twice, so a kept connection that SRS just closed costs nothing. */
  async #ask(method: string, path: string): Promise<Json> {
    const first = await this.#try(method, path).catch((error: unknown) => error);
    if (!(first instanceof StaleConnection)) {
      if (first instanceof Error) throw first;
      return first as Json;
    }
    return this.#try(method, path, false);
  }

  #try(method: string, path: string, mayReuse = true): Promise<Json> {
    return new Promise((resolve, reject) => {
      const url = new URL(path, this.#options.baseUrl);
      const request = http.request(url, { method, agent: mayReuse ? this.#agent : false }, (response) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        response.on('data', (part: Buffer) => {
          bytes += part.length;
          if (bytes > MAX_ANSWER_BYTES) fail(new SrsApiError('wrong', 'the answer is too long'));
          else parts.push(part);
        });
        response.on('end', () => {
          limit.cancel();
          try {
            if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}`);
            resolve(object(JSON.parse(Buffer.concat(parts).toString('utf8'))));
          } catch (error) {
            reject(new SrsApiError('wrong', `no answer of SRS: ${(error as Error).message}`));
          }
        });
        response.on('error', (error) => fail(new SrsApiError('silent', error.message)));
      });
      const fail = (error: Error): void => {
        limit.cancel();
        reject(error);
        request.destroy();
      };
      const limit = this.#options.clock.after(
        ANSWER_WITHIN_MS,
        () => fail(new SrsApiError('silent', `no answer within ${ANSWER_WITHIN_MS} ms`)),
        { background: true },
      );
      request.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') fail(new SrsApiError('refused', 'nothing listens there'));
        else if (request.reusedSocket && mayReuse) fail(new StaleConnection());
        else fail(new SrsApiError('silent', error.message));
      });
      request.end();
    });
  }
}

class StaleConnection extends Error {}

function object(value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new SrsApiError('wrong', 'no answer of SRS: an object is missing');
}

function list(value: unknown): Json[] {
  if (Array.isArray(value)) return value.map(object);
  throw new SrsApiError('wrong', 'no answer of SRS: a list is missing');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
