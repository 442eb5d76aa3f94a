import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { Credential } from '../auth/doorkeeper';
import type { Grant, Need } from '../auth/grant';
import { Problem } from '../base/errors';
import type { HttpContext } from './context';

/** What a request's head shows: only here is a token taken from it. */
type Head = Pick<IncomingMessage, 'headers'>;

/** The token of `Authorization: Bearer`. */
export function bearerOf({ headers }: Head): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

/**
 * Asks the doorkeeper whether a request may pass.
 * @returns what its token grants; nothing in `open` mode
 * @throws {Problem} as `Doorkeeper.admit`; `bad-request` (400) for a token in a URL
 */
export function admit(
  req: IncomingMessage,
  need: Need,
  { doorkeeper, config }: HttpContext,
): Grant | undefined | Promise<Grant> {
  const token = bearerOf(req);
  if (token === undefined && config.authMode === 'token' && /[?&]token=/.test(req.url ?? ''))
    throw new Problem('bad-request', 'This door takes tokens by Authorization: Bearer, and not in its URL.');
  return doorkeeper.admit(token === undefined ? undefined : { token, from: 'header' }, need);
}

/**
 * As `admit`, for doors that browsers open without headers of their own: WebSockets. They may have a token in the URL, a
 * short-lived one.
 */
export function admitWebSocket(
  req: IncomingMessage,
  query: ReadonlyMap<string, string>,
  need: Need,
  { doorkeeper }: HttpContext,
): Grant | undefined | Promise<Grant> {
  const bearer = bearerOf(req);
  const inUrl = query.get('token');
  const credential: Credential | undefined =
    bearer !== undefined
      ? { token: bearer, from: 'header' }
      : inUrl
        ? { token: inUrl, from: 'url' }
        : undefined;
  return doorkeeper.admit(credential, need);
}

/** Puts the doorkeeper before doors that belong to no vibe, and are for admins. */
export function adminOnly(context: HttpContext, handle: RequestHandler): RequestHandler {
  return async (req, res, next) => {
    await admit(req, { role: 'admin' }, context);
    await handle(req, res, next);
  };
}
