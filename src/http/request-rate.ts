import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { Problem } from '../base/errors';
import type { HttpContext } from './context';
import { pathOf } from './problem';

const WINDOW_MS = 60_000;
/** What monitors and the media server ask, and what is audio: it has bounds of its own. */
const UNLIMITED = /^\/(health|ready|metrics|hooks\/.*|api\/srs\/.*|stream\/[^/]+\/audio)$/;

/** Bounds how many control calls one network may make a minute, and says in each answer how many are left. */
export function requestRate({ config, guests }: Pick<HttpContext, 'config' | 'guests'>): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: config.maxRequestsPerMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'control',
    // Proxies and networks are told apart here already; its own checks would only write to the console.
    validate: false,
    keyGenerator: (req) => guests.networkOf(req) ?? '',
    skip: (req) => UNLIMITED.test(pathOf(req.originalUrl)) || guests.networkOf(req) === undefined,
    handler: (_req, res, next) => {
      const problem = new Problem(
        'too-many-requests',
        `No more than ${config.maxRequestsPerMinute} requests a minute from one address.`,
        { retryAfterSeconds: Number(res.getHeader('Retry-After') ?? WINDOW_MS / 1000) },
      );
      next(problem);
    },
  });
}
