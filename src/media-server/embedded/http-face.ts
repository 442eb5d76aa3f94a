import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock';
import { brokenHttp, Problem } from '../../base/errors';
import { openFilesLimit } from '../../base/open-files';
import type { Channel } from './channel';
import type { Channels } from './channels';
import {
  ALLOWED_METHODS,
  answer,
  answerBroken,
  answerPreflight,
  answerProblem,
  answerStream,
} from './http-answers';
import { isStreamName } from './names';

/** Players make up URLs by themselves, and may come a moment before their stream. */
const HOLD_MS = 3_000;
const RETRY_SECONDS = 2;
/** Slow headers are an attack or an accident; no request here has a body that anybody reads. */
const REQUEST_MS = 10_000;
/** How often Node looks for slow ones: its default, 30 s, would make 10 s up to 40. */
const CHECK_MS = 2_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** A listener whose machine is gone is noticed by TCP, also while nothing is sent. */
const KEEP_ALIVE_MS = 30_000;
/**
 * Which part of the descriptors is for those who listen. The rest is for encoders: one that could not connect any more would
 * be missed by all who listen to it. Who finds no room is hung up on, and tries again.
 */
const LISTENERS_PART = 3 / 4;
const STREAM_PATH = /^\/live\/([^/]*)\.(flv|m3u8)$/;
/** A segment's name is its vibe's id, a stamp and a number. */
const SEGMENT_PATH = /^\/live\/((.+)-[0-9a-z]+-\d+\.ts)$/;

/** Nothing can follow a stream on its connection. */
const FLV_HEADERS = {
  'Content-Type': 'video/x-flv',
  'Cache-Control': 'no-store',
  Connection: 'close',
} as const;
const CHUNKED_FLV_HEADERS = { ...FLV_HEADERS, 'Transfer-Encoding': 'chunked' } as const;
const PLAYLIST_HEADERS = {
  'Content-Type': 'application/vnd.apple.mpegurl',
  'Cache-Control': 'no-store',
} as const;
const TICKET = /[?&]token=([\w-]{1,128})(?:&|$)/;
const SEGMENT_HEADERS = {
  'Content-Type': 'video/mp2t',
  'Cache-Control': 'public, max-age=60, immutable',
} as const;

const PRIVATE_SEGMENT_HEADERS = { ...SEGMENT_HEADERS, 'Cache-Control': 'private, no-store' } as const;

/** What players see: HTTP-FLV and HLS under `/live/`, read-only. */
export class HttpFace {
  readonly #channels: Channels;
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  readonly #server = http.createServer(
    {
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => void this.#serve(request, response),
  );

  /**
   * @param onFault told of what should never happen
   * @param openFiles descriptors that this process may have
   */
  constructor(
    channels: Channels,
    clock: Clock,
    onFault: (error: unknown) => void,
    openFiles = openFilesLimit(),
  ) {
    this.#channels = channels;
    this.#clock = clock;
    this.#onFault = onFault;
    this.#server.maxConnections = Math.floor(openFiles * LISTENERS_PART);
    this.#server.on('clientError', refuseBroken);
  }

  /** Rejects with the system's error where it cannot listen. */
  async listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', this.#onFault);
        resolve();
      });
    });
  }

  /** Takes no more connections, gives the answers under way `graceMs` to arrive, then hangs up. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = this.#clock.after(graceMs, () => this.#server.closeAllConnections());
    await closed;
    timer.cancel();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (!(error instanceof Problem)) this.#onFault(error);
      if (response.headersSent) response.destroy();
      else
        answerProblem(
          request,
          response,
          error instanceof Problem ? error : new Problem('internal-error', 'This request failed.'),
          headersOf(error),
        );
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'OPTIONS') return answerPreflight(response);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new Problem('method-not-allowed', `Only ${ALLOWED_METHODS} are answered here.`);

    const path = request.url?.replace(/[?#].*$/s, '') ?? '';
    const [, vibeId = '', kind] = STREAM_PATH.exec(path) ?? [];
    if (kind !== undefined) {
      if (!isStreamName(vibeId))
        throw new Problem(
          'invalid-vibe-id',
          'A vibe id is 1 to 128 letters, digits, underscores and hyphens, and begins with a letter or a digit.',
        );
      return kind === 'flv'
        ? this.#flv(request, response, vibeId)
        : this.#playlist(request, response, vibeId);
    }

    const [, segmentName = '', segmentVibeId = ''] = SEGMENT_PATH.exec(path) ?? [];
    const channel = this.#channels.withSegment(segmentVibeId, segmentName);
    if (!channel) throw new Problem('not-found', 'There is nothing at this address, or no longer.');
    const ticket = ticketFor(channel, request);
    const headers = ticket === undefined ? SEGMENT_HEADERS : PRIVATE_SEGMENT_HEADERS;
    answer(response, 200, headers, channel.hls.segment(segmentName));
  }

  async #flv(request: IncomingMessage, response: ServerResponse, vibeId: string): Promise<void> {
    const channel = await this.#channels.find(vibeId, HOLD_MS);
    if (!channel) throw noVibe(vibeId);
    const ticket = ticketFor(channel, request);
    // Asked for behind another request on its connection: its turn comes when that is answered.
    if (!response.socket) await once(response, 'socket');
    if (response.destroyed) return;
    if (request.method === 'HEAD') return answer(response, 200, FLV_HEADERS);
    response.socket?.setNoDelay(true);
    response.socket?.setKeepAlive(true, KEEP_ALIVE_MS);
    const framing = request.httpVersion === '1.0' ? 'plain' : 'chunked';
    // One packet for the head and what a player needs to begin.
    response.socket?.cork();
    answerStream(response, framing === 'chunked' ? CHUNKED_FLV_HEADERS : FLV_HEADERS);
    channel.attach(response, framing);
    response.socket?.uncork();
    if (ticket === undefined) return;
    const leave = channel.holders?.enter(ticket, () => response.destroy());
    response.once('close', () => leave?.());
  }

  async #playlist(request: IncomingMessage, response: ServerResponse, vibeId: string): Promise<void> {
    const untilMs = this.#clock.nowMs() + HOLD_MS;
    const past = this.#channels.lately(vibeId);
    const channel = past ?? (await this.#channels.find(vibeId, HOLD_MS));
    if (!channel) throw noVibe(vibeId);
    const ticket = ticketFor(channel, request);
    if (!past) await channel.hls.whenReady(untilMs - this.#clock.nowMs());
    const playlist = channel.hls.playlist();
    if (playlist === undefined) throw noVibe(vibeId);
    // Players ask for each segment by the URL that stands there, and for nothing else.
    const shown = ticket === undefined ? playlist : playlist.replace(/^[^#\n].*$/gm, `$&?token=${ticket}`);
    answer(response, 200, PLAYLIST_HEADERS, shown);
  }
}

/** What is no HTTP gets an answer too, unless the connection is a listener's already. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  const isAnswered = (socket as Socket).bytesWritten > 0;
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswered) {
    socket.destroy();
    return;
  }
  const problem = brokenHttp(error, MAX_HEADER_BYTES);
  answerBroken(socket, problem);
}

/**
 * The ticket that a request shows for a private stream; nothing where everybody may play.
 * @throws {Problem} `unauthorized` (401), `forbidden` (403)
 */
function ticketFor({ vibeId, holders }: Channel, { url = '' }: IncomingMessage): string | undefined {
  if (!holders) return undefined;
  const ticket = TICKET.exec(url)?.[1];
  if (ticket === undefined)
    throw new Problem('unauthorized', `${vibeId} is private: the URLs that join returns play it.`);
  if (!holders.has(ticket))
    throw new Problem('forbidden', 'This token does not play this vibe, or no longer.');
  return ticket;
}

function noVibe(vibeId: string): Problem {
  return new Problem('vibe-not-found', `Nothing is on air as ${vibeId} now.`, {
    retryAfterSeconds: RETRY_SECONDS,
  });
}

function headersOf(error: unknown): Record<string, string | number> {
  if (!(error instanceof Problem)) return {};
  if (error.code === 'method-not-allowed') return { Allow: ALLOWED_METHODS, Connection: 'close' };
  const retry = error.extra['retryAfterSeconds'];
  return typeof retry === 'number' ? { 'Retry-After': retry } : {};
}
