import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { Problem } from '../base/errors';
import { checkVibeId } from '../vibes/vibe-id';
import { adminOnly } from './admission';
import type { HttpContext } from './context';
import { openDoor } from './doors';
import { healthDoor, metricsDoor, readyDoor } from './health';
import { openHooks } from './hooks';
import { hostFault } from './hosts';
import { audioDoor } from './ingest-http';
import { openPages } from './pages';
import { joinDoor, leaveDoor } from './participants';
import { answerError, pathOf } from './problem';
import { requestIdOf } from './request-id';
import { requestRate } from './request-rate';
import { acceptSdp, openRtc } from './rtc';
import { crossOrigin, securityHeaders } from './security';
import { SrsApi } from './srs-api';
import { activeDoor, endDoor, startDoor, statusDoor, vibestreamDoor } from './vibes';

/** Every HTTP door of the contract, with what stands before and behind all of them. */
export function createApp(context: HttpContext): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', false);
  app.set('trust proxy', context.config.trustProxy);

  app.use(measure(context));
  app.use(identify);
  app.use(securityHeaders(context.config));
  app.use('/rtc/v1', acceptSdp);
  app.use(crossOrigin(context.config));
  app.use(requestRate(context));
  app.param('vibeId', (_req, _res, next, vibeId: string) => {
    checkVibeId(vibeId);
    next();
  });
  openDoors(app, context);
  app.use((req) => {
    throw new Problem('not-found', `There is nothing at ${pathOf(req.originalUrl).slice(0, 256)}.`);
  });
  app.use(onError(context));
  return app;
}

function openDoors(app: Express, context: HttpContext): void {
  openDoor(app, '/stream/:vibeId/start', { post: startDoor(context) });
  openDoor(app, '/stream/:vibeId/audio', { get: upgradeRequired, post: audioDoor(context) });
  openDoor(app, '/stream/:vibeId/end', { post: endDoor(context) });
  openDoor(app, '/stream/:vibeId/join', { post: joinDoor(context) });
  openDoor(app, '/stream/:vibeId/leave', { post: leaveDoor(context) });
  openDoor(app, '/stream/:vibeId/events', { get: upgradeRequired });
  openDoor(app, '/stream/:vibeId', { get: statusDoor(context) });
  openDoor(app, '/streams/active', { get: adminOnly(context, activeDoor(context)) });
  openDoor(app, '/vibestream/:rtaId', { get: vibestreamDoor(context) });
  openDoor(app, '/health', { get: healthDoor(context) });
  openDoor(app, '/ready', { get: readyDoor(context) });
  openDoor(app, '/metrics', { get: adminOnly(context, metricsDoor(context)) });
  const srs = new SrsApi(context);
  openDoor(app, '/api/v1/versions', { get: adminOnly(context, srs.versions) });
  openDoor(app, '/api/v1/summaries', { get: adminOnly(context, srs.summaries) });
  openDoor(app, '/api/v1/streams/', { get: adminOnly(context, srs.streams) });
  openDoor(app, '/api/v1/streams', { get: srs.redirect });
  openHooks(app, context);
  openRtc(app, context);
  openPages(app);
}

const upgradeRequired: RequestHandler = () => {
  throw new Problem('upgrade-required', 'Connect to this door with a WebSocket.');
};

/** Counts answers by route pattern, which are few, and never by URL, of which there is no end. */
function measure({ metrics }: HttpContext): RequestHandler {
  return (req, res, next) => {
    res.once('close', () => {
      const route = (req.route as { path?: unknown } | undefined)?.path;
      const pattern = typeof route === 'string' ? route : 'other';
      metrics.httpRequests.inc({
        route: pattern,
        status: res.headersSent ? String(res.statusCode) : 'aborted',
      });
    });
    next();
  };
}

const identify: RequestHandler = (req, res, next) => {
  res.setHeader('X-Request-Id', requestIdOf(req));
  res.setHeader('Cache-Control', 'no-store');
  if (!req.url.startsWith('/')) throw new Problem('bad-request', 'The request’s target must be a path.');
  const fault = hostFault(req);
  if (fault !== undefined) {
    res.setHeader('Connection', 'close');
    throw new Problem('bad-request', fault);
  }
  next();
};

function onError(context: HttpContext): ErrorRequestHandler {
  return (error, req, res, _next) => answerError(error, req, res, context);
}
