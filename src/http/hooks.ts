import type { Express, Request, RequestHandler } from 'express';
import { Problem } from '../base/errors';
import { isSameSecret } from '../base/same-secret';
import type { HttpContext } from './context';
import { openDoor } from './doors';
import { readControlBody } from './json-body';

/** What SRS calls, less the `on_` that one of the two paths to each has. */
const HOOKS = ['connect', 'close', 'publish', 'unpublish', 'play', 'stop'] as const;

/** What a proxy adds. SRS speaks to the relay directly, so who has one of these is somebody else. */
const PROXY_HEADERS = ['x-forwarded-for', 'x-real-ip', 'forwarded'] as const;
/** What a browser adds: a page on this very machine could else reach these doors. */
const BROWSER_HEADERS = ['origin', 'sec-fetch-site'] as const;
const LOOPBACK = /^(::ffff:)?127\.|^::1$/;

/**
 * The doors for SRS's callbacks: `/hooks/on_publish` and `/api/srs/publish`, likewise for the other five, and all of
 * them once more with a secret as the second-last part of the path.
 */
export function openHooks(app: Express, context: HttpContext): void {
  for (const name of HOOKS) {
    const post = hookDoor(context, `on_${name}`);
    for (const path of [`/hooks/on_${name}`, `/api/srs/${name}`]) openDoor(app, path, { post });
    for (const path of [`/hooks/:secret/on_${name}`, `/api/srs/:secret/${name}`])
      openDoor(app, path, { post });
  }
}

/**
 * Answers 200 with `{"code":0}`, or another number where SRS shall turn the client away.
 * @throws {Problem} `invalid-json`, `invalid-field` (400), `forbidden` (403), `too-large` (413)
 */
function hookDoor(context: HttpContext, action: string): RequestHandler {
  const { clock, metrics } = context;
  return async (req, res) => {
    const startedMs = clock.nowMs();
    checkCaller(req, context.config.hookSecret);
    const answer = context.hooks.answer(action, await readControlBody(req, res, context));
    metrics.srsHookSeconds.observe((clock.nowMs() - startedMs) / 1000);
    // Who is kept waiting is so on purpose, and no sign of a slow relay.
    const { code } = await answer;
    res.json({ code });
  };
}

/**
 * With a secret, who knows it may call, from anywhere; without one, who is on this machine. Nobody may through a proxy.
 * @throws {Problem} `forbidden` (403)
 */
function checkCaller(req: Request, secret: string | undefined): void {
  const given = req.params['secret'] as string | undefined;
  const isForeign = [...PROXY_HEADERS, ...BROWSER_HEADERS].some((name) => req.headers[name] !== undefined);
  const isKnown =
    secret === undefined
      ? given === undefined && LOOPBACK.test(req.socket.remoteAddress ?? '')
      : isSameSecret(given ?? '', secret);
  if (isForeign || !isKnown) throw new Problem('forbidden', 'This door is for the media server.');
}
