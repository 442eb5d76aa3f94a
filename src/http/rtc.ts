import type { Express, Request, RequestHandler, Response } from 'express';
import { DEFAULT_FORMAT, type PcmFormat } from '../audio/pcm';
import { Problem } from '../base/errors';
import { checkVibeId } from '../vibes/vibe-id';
import { isOver } from '../vibes/vibe-state';
import { admit } from './admission';
import { claimOf, mediaTypeOf, readQuery } from './audio-request';
import { BodyReader } from './body-reader';
import type { HttpContext, WebRtc } from './context';
import { openDoor } from './doors';
import { RtcSessions } from './rtc-sessions';
import { WhipCreator } from './whip-creator';

/** A browser's offer has some 2 kB, one with video and simulcast 10. */
const MAX_OFFER_BYTES = 64 * 1024;
const OFFER_DEADLINE_MS = 15_000;
const APP = 'live';

type DoorName = 'whip' | 'whep';

/** `/rtc/v1/whip/` for browsers that send (RFC 9725), `/rtc/v1/whep/` for those that listen. */
export function openRtc(app: Express, context: HttpContext): void {
  const doors = new RtcDoors(context);
  for (const slash of ['', '/']) {
    openDoor(app, `/rtc/v1/whip${slash}`, { post: doors.whip });
    openDoor(app, `/rtc/v1/whep${slash}`, { post: doors.whep });
    // SRS's older name for the same.
    openDoor(app, `/rtc/v1/whip-play${slash}`, { post: doors.whep });
  }
  // There is neither trickle ICE nor an ICE restart, so RFC 9725 wants 405 for PATCH.
  for (const name of ['whip', 'whep'] as const)
    openDoor(app, `/rtc/v1/${name}/:session`, { delete: doors.hangUp });
}

/** Says what these doors take, also to who asks by OPTIONS. */
export const acceptSdp: RequestHandler = (_req, res, next) => {
  res.setHeader('Accept-Post', 'application/sdp');
  next();
};

class RtcDoors {
  readonly #context: HttpContext;
  readonly #sessions = new RtcSessions();
  readonly #creators = new Set<WhipCreator>();

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /** `POST /rtc/v1/whip/?app=live&stream=ID`: a creator's browser sends, under the rules of every other audio door. */
  readonly whip: RequestHandler = this.#counted('whip', async (req, res) => {
    const { registry } = this.#context;
    const { webRtc, query, vibeId } = this.#understand(req);
    const grant = await admit(req, { role: 'creator', vibeId }, this.#context);
    const claim = claimOf(req, query, grant);
    const format = this.#formatOf(vibeId);
    registry.check(vibeId, claim, format);
    const offer = await this.#readOffer(req, res);
    let id = '';
    const creator = new WhipCreator({ vibeId, claim, format }, this.#context, () => {
      this.#creators.delete(creator);
      this.#sessions.close(id);
    });
    const session = await webRtc.publish({ vibeId, offer, format }, creator);
    creator.begin(session);
    this.#creators.add(creator);
    this.#supersedeUnheard(creator);
    id = this.#sessions.open(() => creator.end('hung-up'));
    answer(res, { door: 'whip', id, sdp: session.answer });
  });

  /** `POST /rtc/v1/whep/?app=live&stream=ID`: a browser listens to a vibe. */
  readonly whep: RequestHandler = this.#counted('whep', async (req, res) => {
    const { registry, metrics, openDoors } = this.#context;
    const { webRtc, vibeId } = this.#understand(req);
    // Whoever may hear a vibe by HTTP-FLV may hear it here: anybody.
    const vibe = registry.requireActive(vibeId);
    const offer = await this.#readOffer(req, res);
    let id = '';
    let unsubscribe = (): void => undefined;
    const door = { refuse: (problem: Problem) => session.end(problem.code) };
    const session = await webRtc.play({ vibeId, offer }, () => {
      unsubscribe();
      openDoors.delete(door);
      this.#sessions.close(id);
      metrics.rtcSessions.dec({ door: 'whep' });
    });
    metrics.rtcSessions.inc({ door: 'whep' });
    openDoors.add(door);
    id = this.#sessions.open(() => session.end('hung-up'));
    unsubscribe = vibe.subscribe((event) => {
      if (event.type === 'state' && isOver(event.state)) session.end('vibe-over');
    });
    if (vibe.isOver) {
      session.end('vibe-over');
      throw new Problem('vibe-not-found', `The vibe ${vibeId} is over.`);
    }
    answer(res, { door: 'whep', id, sdp: session.answer });
  });

  /** `DELETE` on a session's URL: ends it. Who does it twice gets the same answer. */
  readonly hangUp: RequestHandler = (req, res) => {
    if (!this.#sessions.end(req.params['session'] as string))
      throw new Problem('not-found', 'There is no such session.');
    res.status(200).end();
  };

  /** @throws {Problem} everything that can be refused before the body is read */
  #understand(req: Request): { webRtc: WebRtc; query: ReadonlyMap<string, string>; vibeId: string } {
    const { webRtc } = this.#context;
    if (!webRtc)
      throw new Problem(
        'webrtc-unavailable',
        'WHIP and WHEP need SRS: this relay runs with MEDIA_SERVER=embedded, which has no WebRTC.',
      );
    const query = readQuery(req);
    if ((query.get('app') ?? APP) !== APP) throw new Problem('invalid-field', `app: must be ${APP}.`);
    const vibeId = checkVibeId(query.get('stream') ?? '');
    if (mediaTypeOf(req.headers).type !== 'application/sdp')
      throw new Problem('unsupported-format', 'The offer must be sent as application/sdp.');
    return { webRtc, query, vibeId };
  }

  async #readOffer(req: Request, res: Response): Promise<string> {
    const reader = new BodyReader(req, res, this.#context, { deadlineMs: OFFER_DEADLINE_MS });
    try {
      return (await reader.whole(MAX_OFFER_BYTES)).toString('utf8');
    } finally {
      reader.close();
    }
  }

  /** A vibe keeps its format; what a browser sends is made to fit. */
  #formatOf(vibeId: string): PcmFormat {
    const vibe = this.#context.registry.get(vibeId);
    return (vibe?.isOver === false && vibe.format) || DEFAULT_FORMAT;
  }

  /** An older attempt of which nothing was heard yet must not take over from the newer one later. */
  #supersedeUnheard(newest: WhipCreator): void {
    for (const creator of [...this.#creators])
      if (creator !== newest && creator.vibeId === newest.vibeId && !creator.isOnAir)
        creator.end('superseded');
  }

  #counted(door: DoorName, handle: (req: Request, res: Response) => Promise<void>): RequestHandler {
    return async (req, res) => {
      const { rtcRequests } = this.#context.metrics;
      try {
        await handle(req, res);
        rtcRequests.inc({ door, result: 'accepted' });
      } catch (error) {
        rtcRequests.inc({ door, result: error instanceof Problem ? error.code : 'error' });
        throw error;
      }
    };
  }
}

function answer(res: Response, { door, id, sdp }: { door: DoorName; id: string; sdp: string }): void {
  res.setHeader('Location', `/rtc/v1/${door}/${id}`);
  // Not `type()`, which would add a charset.
  res.setHeader('Content-Type', 'application/sdp');
  res.status(201).end(sdp);
}
