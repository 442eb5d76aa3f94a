import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
// First: ws takes it over when it is loaded.
import '../base/websocket-mask';
import { type WebSocket, WebSocketServer } from 'ws';
import { Problem } from '../base/errors';
import type { Claim } from '../vibes/ownership';
import { checkVibeId } from '../vibes/vibe-id';
import { admitWebSocket } from './admission';
import { claimOf, readQuery, saidFormat } from './audio-request';
import type { HttpContext } from './context';
import { tellEvents } from './events-websocket';
import { MAX_CHUNK_BYTES } from './audio-post';
import { WebSocketIngest } from './ingest-websocket';
import { pathOf, toProblem } from './problem';
import { answerRaw } from './raw-answer';
import { requestIdOf } from './request-id';
import { isOriginAllowed } from './security';
import { type LinkAbout, WebSocketLink } from './websocket-link';

const PATH = /^\/stream\/([^/]+)\/(audio|events)$/;
/** Listeners to events have nothing to say. */
const MAX_EVENTS_MESSAGE_BYTES = 4_096;
/** A 2 MiB message in 32 KiB frames; one-byte fragments without end would cost more than they carry. */
const MAX_FRAGMENTS = 64;
/** Network reads held for one message: at least 1 KiB each for the longest. */
const MAX_BUFFERED_CHUNKS = 2_048;

/** Routes WebSocket upgrades to their doors. What can be refused before the upgrade is, as an HTTP problem. */
export class Upgrades {
  readonly #context: HttpContext;
  readonly #servers = {
    audio: createServer(MAX_CHUNK_BYTES),
    events: createServer(MAX_EVENTS_MESSAGE_BYTES),
  };

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /** For the `upgrade` event of the HTTP server, where a WebSocket is asked for. */
  readonly handle = (req: IncomingMessage, socket: Duplex, head: Buffer): void =>
    void this.#handle(req, socket, head);

  async #handle(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const requestId = requestIdOf(req);
    const onError = (): void => void socket.destroy();
    socket.on('error', onError);
    const { guests, audit } = this.#context;
    let route = 'other';
    try {
      const { vibeId, door } = target(req);
      route = `/stream/:vibeId/${door}`;
      this.#check(req);
      guests.arrived(req);
      const query = readQuery(req);
      const role = door === 'audio' ? 'creator' : 'participant';
      const grant = await admitWebSocket(req, query, { role, vibeId }, this.#context);
      const claim = claimOf(req, query, grant);
      const open =
        door === 'audio'
          ? this.#audio(query, { vibeId, claim })
          : (link: WebSocketLink) => tellEvents(link, { vibeId, claim }, this.#context);
      socket.once('close', guests.enter(req, door === 'audio' ? vibeId : undefined));
      this.#servers[door].handleUpgrade(req, socket, head, (webSocket) => {
        socket.off('error', onError);
        this.#count(route, 101);
        const refused = (problem: Problem): Problem => {
          audit.refused(req, problem);
          return guests.refused(req, problem);
        };
        this.#welcome(webSocket, open, { instance: pathOf(req.url ?? ''), requestId, refused });
      });
    } catch (error) {
      const about = { path: req.url ?? '', requestId };
      const why = toProblem(error, this.#context.logger, about);
      const problem = guests.refused(req, why);
      this.#count(route, problem.status);
      this.#context.metrics.problems.inc({ code: problem.code });
      audit.refused(req, why);
      const more: Record<string, string> = problem.status === 426 ? { 'Sec-WebSocket-Version': '13' } : {};
      answerRaw(socket, problem, { instance: pathOf(about.path), requestId }, more);
    }
  }

  /** @throws {Problem} `bad-request` (400), `forbidden` (403), `upgrade-required` (426) */
  #check(req: IncomingMessage): void {
    if (req.method !== 'GET') throw new Problem('bad-request', 'A WebSocket is opened by GET.');
    if (!isOriginAllowed(req.headers.origin, this.#context.config))
      throw new Problem('forbidden', 'Pages of this origin may not connect.');
    if (req.headers['sec-websocket-version'] !== '13')
      throw new Problem('upgrade-required', 'Only version 13 of the WebSocket protocol is spoken here.');
    if (!/^[+/0-9A-Za-z]{22}==$/.test(req.headers['sec-websocket-key'] ?? ''))
      throw new Problem('bad-request', 'The Sec-WebSocket-Key is missing or malformed.');
  }

  /** @throws {Problem} what makes the request unfit before anything is known of the vibe */
  #audio(
    query: ReadonlyMap<string, string>,
    { vibeId, claim }: { vibeId: string; claim: Claim },
  ): (link: WebSocketLink) => void {
    const context = this.#context;
    if (context.registry.draining) throw new Problem('draining', 'The relay is restarting.');
    return (link) => void new WebSocketIngest(link, { vibeId, claim, said: saidFormat(query) }, context);
  }

  #welcome(webSocket: WebSocket, open: (link: WebSocketLink) => void, about: LinkAbout): void {
    const link = new WebSocketLink(webSocket, this.#context, about);
    try {
      open(link);
    } catch (error) {
      link.refuse(
        toProblem(error, this.#context.logger, { path: about.instance, requestId: about.requestId }),
      );
    }
  }

  #count(route: string, status: number): void {
    this.#context.metrics.httpRequests.inc({ route, status: String(status) });
  }
}

function createServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
  });
}

/** @throws {Problem} `not-found` (404), `invalid-vibe-id` (400) @throws {URIError} for a malformed escape */
function target(req: IncomingMessage): { vibeId: string; door: 'audio' | 'events' } {
  const [, id, door] = PATH.exec(pathOf(req.url ?? '')) ?? [];
  if (id === undefined) throw new Problem('not-found', 'There is no WebSocket here.');
  return { vibeId: checkVibeId(decodeURIComponent(id)), door: door as 'audio' | 'events' };
}
