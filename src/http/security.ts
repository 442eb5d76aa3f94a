import cors from 'cors';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { Config } from '../base/config';

/** Headers that pages of other origins may read. */
const EXPOSED_HEADERS = ['X-Request-Id', 'Retry-After', 'Allow', 'Location', 'RateLimit', 'RateLimit-Policy'];
const PREFLIGHT_SECONDS = 600;

/**
 * Security headers. The content policy lets the pages play with Media Source Extensions (`blob:`) from the media
 * server, and nothing from anywhere else.
 */
export function securityHeaders(config: Pick<Config, 'publicUrl' | 'playbackUrl'>): RequestHandler {
  const playback = new URL(config.playbackUrl).origin;
  const isTls = config.publicUrl.startsWith('https:');
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'connect-src': ["'self'", new URL(config.publicUrl).origin.replace(/^http/, 'ws'), playback],
        'media-src': ["'self'", 'blob:', playback],
        'worker-src': ["'self'", 'blob:'],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
    // The API is for pages of other origins too; CORS decides which.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    strictTransportSecurity: isTls && { maxAge: 63_072_000, includeSubDomains: false },
  });
}

/** CORS without credentials: there is no cookie or other ambient credential to protect. */
export function crossOrigin(config: Pick<Config, 'corsOrigins'>): RequestHandler {
  return cors({
    origin: config.corsOrigins === '*' ? '*' : [...config.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE', 'PATCH'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });
}

/**
 * Whether a page of this origin may open WebSockets: browsers do not ask first. Programs send no origin. The pages
 * that the relay itself serves may always.
 */
export function isOriginAllowed(
  origin: string | undefined,
  config: Pick<Config, 'corsOrigins' | 'publicUrl'>,
): boolean {
  if (origin === undefined || config.corsOrigins === '*') return true;
  return config.corsOrigins.includes(origin) || origin === new URL(config.publicUrl).origin;
}
