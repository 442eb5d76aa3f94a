import http from 'node:http';
import type { Clock } from '../../base/clock';
import { Problem } from '../../base/errors';

/** What SRS answered to an offer. */
export interface RtcAnswer {
  readonly sdp: string;
  /** SRS's own path to end the session. It holds a secret, and goes to nobody. */
  readonly location: string;
}

export interface RtcOffer {
  /** Whether the peer sends (`whip`) or receives (`whep`). */
  readonly door: 'whip' | 'whep';
  readonly vhost: string;
  readonly stream: string;
  /** Shown again in the hook that decides. */
  readonly token: string;
  readonly sdp: string;
}

/** SRS answers within milliseconds, its hooks included. */
const ANSWER_WITHIN_MS = 5_000;
const MAX_ANSWER_BYTES = 256 * 1024;
/** SRS's error code for a name that somebody publishes to. */
const BUSY_CODE = 5020;
const RETRY_SECONDS = 2;

export interface RtcApiOptions {
  /** e.g. `http://127.0.0.1:1985` */
  readonly baseUrl: string;
  /** Of all streams, e.g. `live`. */
  readonly app: string;
  readonly clock: Clock;
}

/** SRS's doors for WebRTC. Every call is bounded, and throws only `Problem`s that a browser may see. */
export class SrsRtcApi {
  readonly #options: RtcApiOptions;

  constructor(options: RtcApiOptions) {
    this.#options = options;
  }

  /**
   * Passes an offer on.
   * @throws {Problem} `not-ready` (503) where SRS does not answer, `media-server-busy` (409), `media-server-refused` (502)
   */
  async offer({ door, vhost, stream, token, sdp }: RtcOffer): Promise<RtcAnswer> {
    const query = new URLSearchParams({ vhost, app: this.#options.app, stream, token });
    const { status, location, body } = await this.#ask('POST', `/rtc/v1/${door}/?${query.toString()}`, {
      type: 'application/sdp',
      text: sdp,
    });
    if (status === 201 && location?.startsWith('/')) return { sdp: body, location };
    if (status === 409 || body.includes(`"code":${BUSY_CODE}`))
      throw new Problem('media-server-busy', 'The media server says that this stream is in use.', {
        retryAfterSeconds: RETRY_SECONDS,
      });
    throw refusal(`it answered ${status}`);
  }

  /**
   * Offers to receive a stream without DTLS and SRTP, as SRS allows who asks for it in the query of its older JSON door
   * (5.0.216, 6.0.157 and 7.0.18 do; at WHEP 5.0.216 does not). Such a session ends when nothing more is heard of it.
   * @returns SRS's answer, in SDP
   * @throws {Problem} `not-ready` (503), `media-server-refused` (502)
   */
  async receivePlain({ vhost, stream, token, sdp }: Omit<RtcOffer, 'door'>): Promise<string> {
    const query = new URLSearchParams({ vhost, token });
    // Only names the stream: nobody connects there.
    const streamurl = `webrtc://127.0.0.1/${this.#options.app}/${stream}?${query.toString()}`;
    const text = JSON.stringify({ api: '', streamurl, sdp });
    const { body } = await this.#ask('POST', '/rtc/v1/play/?encrypt=false&dtls=false', {
      type: 'application/json',
      text,
    });
    try {
      const answer = JSON.parse(body) as { code?: unknown; sdp?: unknown };
      if (answer.code === 0 && typeof answer.sdp === 'string') return answer.sdp;
    } catch {
      // Not JSON: refused below.
    }
    throw refusal('it lets nobody receive');
  }

  /** Ends a session. What is gone already, SRS included, needs no end: never throws. */
  async end(location: string): Promise<void> {
    await this.#ask('DELETE', location).catch(() => undefined);
  }

  #ask(
    method: string,
    path: string,
    body: { type: string; text: string } = { type: 'text/plain', text: '' },
  ): Promise<{ status: number; location: string | undefined; body: string }> {
    return new Promise((resolve, reject) => {
      const request = http.request(
        `${this.#options.baseUrl}${path}`,
        {
          method,
          // SRS closes the connection after each answer.
          agent: false,
          headers: { 'Content-Type': body.type, 'Content-Length': Buffer.byteLength(body.text) },
        },
        (response) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          response.on('data', (part: Buffer) => {
            bytes += part.length;
            if (bytes > MAX_ANSWER_BYTES) fail(refusal('its answer is too long'));
            else parts.push(part);
          });
          response.on('error', () => fail(refusal('its answer broke off')));
          response.on('end', () => {
            limit.cancel();
            const { statusCode = 0, headers } = response;
            resolve({
              status: statusCode,
              location: headers.location,
              body: Buffer.concat(parts).toString('utf8'),
            });
          });
        },
      );
      const fail = (problem: Problem): void => {
        limit.cancel();
        reject(problem);
        request.destroy();
      };
      const limit = this.#options.clock.after(ANSWER_WITHIN_MS, () => fail(absence('does not answer')), {
        background: true,
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        // SRS's way to refuse: it hangs up without a word (until 7.0.121).
        if (error.code === 'ECONNRESET') fail(refusal('it hung up'));
        else fail(absence('cannot be reached'));
      });
      request.end(body.text);
    });
  }
}

function refusal(why: string): Problem {
  return new Problem('media-server-refused', `The media server took no such session: ${why}.`);
}

function absence(what: string): Problem {
  return new Problem('not-ready', `The media server ${what}.`, { retryAfterSeconds: RETRY_SECONDS });
}
