import type { RequestHandler } from 'express';
import { admit } from './admission';
import { claimOf, readQuery } from './audio-request';
import type { HttpContext } from './context';
import { readControlBody } from './json-body';
import { participantBody, validate } from './schemas';
import { whereToListen } from './vibes';

/** `POST /stream/:vibeId/join`: takes or renews a participant's lease. */
export function joinDoor(context: HttpContext): RequestHandler {
  const { registry, clock } = context;
  return async (req, res) => {
    const vibeId = req.params['vibeId'] as string;
    const grant = await admit(req, { role: 'participant', vibeId }, context);
    const body = validate(participantBody, await readControlBody(req, res, context));
    const vibe = registry.requireActive(vibeId);
    vibe.ownership.checkListener(claimOf(req, readQuery(req), grant));
    const { participantId, leaseSeconds, ticket } = vibe.participants.join(
      body.participantId,
      body.walletAddress,
      grant?.subject,
    );
    res.json({
      success: true,
      vibeId: vibe.id,
      participantId,
      participantCount: vibe.participants.count,
      ...whereToListen(vibe, context, ticket),
      isStreaming: vibe.isStreaming,
      state: vibe.state,
      leaseSeconds,
      timestamp: clock.epochMs(),
    });
  };
}

/**
 * `POST /stream/:vibeId/leave`: gives a lease back. Whoever holds none, or leaves a vibe that is gone, has left all
 * the same: pages say goodbye late and more than once.
 */
export function leaveDoor(context: HttpContext): RequestHandler {
  const { registry, clock } = context;
  return async (req, res) => {
    const vibeId = req.params['vibeId'] as string;
    const grant = await admit(req, { role: 'participant', vibeId }, context);
    const body = validate(participantBody, await readControlBody(req, res, context, { textPlain: true }));
    const vibe = registry.get(vibeId);
    vibe?.ownership.checkListener(claimOf(req, readQuery(req), grant));
    const participants = vibe?.participants;
    const participantId = body.participantId ?? body.walletAddress;
    if (participantId !== undefined) participants?.leave(participantId, grant?.subject);
    res.json({
      success: true,
      vibeId,
      participantCount: participants?.count ?? 0,
      timestamp: clock.epochMs(),
    });
  };
}
