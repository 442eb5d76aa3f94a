import type { RequestHandler } from 'express';
import { settlesWithin } from '../base/clock';
import type { Vibe } from '../vibes/vibe';
import { checkVibeId } from '../vibes/vibe-id';
import { describe, summarize } from '../vibes/vibe-status';
import { admit } from './admission';
import { claimOf, readQuery } from './audio-request';
import type { HttpContext } from './context';
import { readControlBody } from './json-body';
import { endBody, startBody, validate } from './schemas';

/** How long the answer to an end without play-out waits for the encoder to be gone. */
const END_MS = 2_000;

/** Where a vibe can be heard. @param ticket what plays a private vibe; its URLs are no good without */
export function whereToListen(vibe: Vibe, { urls }: HttpContext, ticket?: string): Record<string, string> {
  return { streamingUrl: urls.streaming(vibe.id, ticket), hlsUrl: urls.hls(vibe.id, ticket) };
}

/** `POST /stream/:vibeId/start` */
export function startDoor(context: HttpContext): RequestHandler {
  const { registry, urls, clock, audit } = context;
  return async (req, res) => {
    const vibeId = req.params['vibeId'] as string;
    const grant = await admit(req, { role: 'creator', vibeId }, context);
    const body = validate(startBody, await readControlBody(req, res, context));
    const claim = claimOf(req, readQuery(req), grant);
    const { vibe, created, ownerKey } = registry.start({
      ...claim,
      vibeId,
      creator: body.creator ?? claim.creator,
      network: body.network,
      title: body.title,
      claim: body.claim ?? false,
      isPrivate: body.visibility === 'private',
    });
    audit.done(req, { act: 'start', vibeId, by: grant?.subject ?? vibe.creator });
    res.status(created ? 201 : 200).json({
      success: true,
      vibeId: vibe.id,
      ...whereToListen(vibe, context),
      rtmpUrl: urls.rtmp(vibe.id),
      listenUrl: urls.listen(vibe.id),
      isStreaming: vibe.isStreaming,
      state: vibe.state,
      participantCount: vibe.participants.count,
      ...(ownerKey === undefined ? {} : { ownerKey }),
      timestamp: clock.epochMs(),
    });
  };
}

/** `POST /stream/:vibeId/end`. Answers at once: what is buffered is played out while the state is `ending`. */
export function endDoor(context: HttpContext): RequestHandler {
  const { registry, clock, audit } = context;
  return async (req, res) => {
    const vibeId = req.params['vibeId'] as string;
    const grant = await admit(req, { role: 'creator', vibeId }, context);
    const body = validate(endBody, await readControlBody(req, res, context));
    const claim = claimOf(req, readQuery(req), grant);
    const vibe = registry.require(vibeId);
    registry.authorize(vibe, { ...claim, ...(body.creator === undefined ? {} : { creator: body.creator }) });
    audit.done(req, { act: 'end', vibeId, by: grant?.subject ?? body.creator ?? claim.creator });
    const drain = body.drain ?? true;
    const ended = vibe.end({ drain, cause: 'creator' });
    if (!drain) await settlesWithin(clock, END_MS, Promise.resolve(ended));
    res.json({
      success: true,
      vibeId: vibe.id,
      state: vibe.state,
      isStreaming: vibe.isStreaming,
      bufferedMs: vibe.bufferedMs,
      participantCount: vibe.participants.count,
      timestamp: clock.epochMs(),
    });
  };
}

/** `GET /stream/:vibeId`: everything about one vibe, also for some minutes after its end. */
export function statusDoor(context: HttpContext): RequestHandler {
  const { registry, urls, clock } = context;
  return async (req, res) => {
    const vibeId = req.params['vibeId'] as string;
    const grant = await admit(req, { role: 'participant', vibeId }, context);
    const vibe = registry.require(vibeId);
    vibe.ownership.checkListener(claimOf(req, readQuery(req), grant));
    res.json({
      success: true,
      ...describe(vibe),
      ...whereToListen(vibe, context),
      rtmpUrl: urls.rtmp(vibe.id),
      listenUrl: urls.listen(vibe.id),
      timestamp: clock.epochMs(),
    });
  };
}

/** The vibes that a list shows: in `open` mode anybody sees it, and private ones are left out. */
export function listed({ registry, config }: Pick<HttpContext, 'registry' | 'config'>): Vibe[] {
  const all = registry.active();
  return config.authMode === 'token' ? all : all.filter(({ ownership }) => !ownership.isPrivate);
}

/** `GET /streams/active` */
export function activeDoor(context: HttpContext): RequestHandler {
  const { clock } = context;
  return (_req, res) => {
    const activeStreams = listed(context).map(summarize);
    res.json({ activeStreams, totalStreams: activeStreams.length, timestamp: clock.epochMs() });
  };
}

/** `GET /vibestream/:rtaId`: what the original system's players ask before they join. */
export function vibestreamDoor(context: HttpContext): RequestHandler {
  const { registry, urls, clock } = context;
  return async (req, res) => {
    const vibeId = checkVibeId(req.params['rtaId'] as string);
    const grant = await admit(req, { role: 'participant', vibeId }, context);
    const vibe = registry.requireActive(vibeId);
    vibe.ownership.checkListener(claimOf(req, readQuery(req), grant));
    res.json({
      success: true,
      rtaId: vibe.id,
      creator: vibe.creator ?? null,
      network: vibe.network ?? null,
      isStreaming: vibe.isStreaming,
      state: vibe.state,
      participantCount: vibe.participants.count,
      startedAt: vibe.startedAtMs,
      ...whereToListen(vibe, context),
      joinUrl: urls.join(vibe.id),
      timestamp: clock.epochMs(),
    });
  };
}
