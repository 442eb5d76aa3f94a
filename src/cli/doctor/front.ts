import type { Config } from '../../base/config';
import { reason } from '../relay-api';
import { ask, json, type Asked, type AskOptions } from './ask';
import { type Check, fail, ok, warn } from './check';

/** Certbot renews a month before the end; later than this it has failed for some days. */
const RENEWAL_DAYS = 14;
const DAY_MS = 24 * 3600 * 1000;

/** What must never be had from outside, and how it is asked for. */
const CLOSED: readonly { path: string; method: string }[] = [
  { path: '/metrics', method: 'GET' },
  { path: '/hooks/on_publish', method: 'POST' },
  { path: '/api/srs/publish', method: 'POST' },
  { path: '/api/v1/clients/', method: 'GET' },
  { path: '/console/', method: 'GET' },
];

export interface FrontOptions extends Pick<AskOptions, 'ca'> {
  /** Where people arrive without https; port 80 of the public address unless told. */
  readonly plainUrl?: string;
}

/**
 * The way in for the world, seen from this machine: address, certificate, redirect, the relay behind it, the media, and
 * what must stay closed.
 */
export async function checkFront(config: Config, options: FrontOptions = {}): Promise<Check[]> {
  const name = 'public address';
  const base = new URL(config.publicUrl);
  if (base.protocol === 'http:' && isLocal(base.hostname)) {
    return [ok(name, `this machine only (PUBLIC_URL is ${config.publicUrl})`)];
  }
  let answer: Asked;
  try {
    answer = await ask(`${config.publicUrl}/health`, trust(options));
  } catch (error) {
    return [whyUnreachable(config.publicUrl, error)];
  }
  const checks: Check[] = [];
  if (typeof json(answer)?.['status'] === 'string')
    checks.push(ok(name, `${config.publicUrl} leads to a relay`));
  else {
    const remedy =
      answer.status === 502
        ? 'start the daemon, or point nginx at its PORT: `vibesflow nginx conf`'
        : 'look at nginx’s site: `vibesflow nginx conf` prints the right one';
    checks.push(fail(name, `${config.publicUrl}/health answers ${answer.status}, not like a relay`, remedy));
  }
  checks.push(checkCertificate(base, answer));
  // With a port of its own, nobody gets there by an address without https.
  const plainUrl = options.plainUrl ?? (base.port ? undefined : `http://${base.hostname}`);
  if (base.protocol === 'https:' && plainUrl) checks.push(await checkRedirect(plainUrl));
  checks.push(await checkMedia(config, options), await checkClosed(config, options));
  return checks;
}

function isLocal(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

function whyUnreachable(url: string, error: unknown): Check {
  const why = reason(error);
  const found = `${url} cannot be reached from here: ${why}`;
  const { hostname } = new URL(url);
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(why)) {
    const remedy =
      why === 'CERT_HAS_EXPIRED'
        ? '`certbot renew`, then `nginx -s reload`; see why the timer did not'
        : 'get one with scripts/setup-tls.sh; for a CA of your own set NODE_EXTRA_CA_CERTS to its file';
    return fail('certificate', found, remedy);
  }
  if (why === 'ENOTFOUND' || why === 'EAI_AGAIN')
    return fail('public address', found, `make a DNS record for ${hostname}`);
  return fail('public address', found, 'start nginx, and open ports 80 and 443 in the firewall');
}

function checkCertificate(base: URL, { certificateUntilMs }: Asked): Check {
  const name = 'certificate';
  if (certificateUntilMs === undefined)
    return warn(name, `none: ${base.origin} has no TLS`, 'put nginx with TLS in front: docs/operations.md');
  const days = Math.floor((certificateUntilMs - Date.now()) / DAY_MS);
  const found = `valid for ${days} more days`;
  if (days >= RENEWAL_DAYS) return ok(name, found);
  return warn(name, found, '`certbot renew --dry-run` tells why it was not renewed');
}

/** Port 80 must do nothing but send people on: what comes there is not encrypted. */
async function checkRedirect(plainUrl: string): Promise<Check> {
  const name = 'redirect';
  const url = `${plainUrl}/health`;
  try {
    const { status, headers } = await ask(url);
    const location = headers.location ?? '';
    if (status >= 300 && status < 400 && location.startsWith('https://'))
      return ok(name, `${url} moves to ${location}`);
    return warn(name, `${url} answers ${status} without TLS`, 'let it move to HTTPS: `vibesflow nginx conf`');
  } catch (error) {
    const remedy = 'open port 80: people type addresses without https, and certbot renews through it';
    return warn(name, `${url} cannot be reached: ${reason(error)}`, remedy);
  }
}

/** A playlist that is not there: who answers says so itself, and lets every page read it. */
async function checkMedia(config: Config, options: FrontOptions): Promise<Check> {
  const name = 'public media';
  const url = `${config.playbackUrl}/live/doctor-is-not-there.m3u8`;
  try {
    const { status, headers } = await ask(url, trust(options));
    const reached = status === 404 && headers['access-control-allow-origin'] === '*';
    if (reached) return ok(name, `${config.playbackUrl}/live/ leads to the media server`);
    const remedy = 'let /live/ lead to MEDIA_HTTP_PORT: `vibesflow nginx conf`; or set PLAYBACK_URL';
    if (status === 404) return warn(name, `${url} answers 404 without CORS: pages cannot play it`, remedy);
    return fail(name, `${url} answers ${status}`, remedy);
  } catch (error) {
    const remedy = 'set PLAYBACK_URL to where players reach the media server';
    return fail(name, `${url} cannot be reached: ${reason(error)}`, remedy);
  }
}

/** Doors for this machine must not be there for the world. */
async function checkClosed(config: Config, options: FrontOptions): Promise<Check> {
  const name = 'closed doors';
  const open: string[] = [];
  for (const { path, method } of CLOSED) {
    const headers = { 'content-type': 'application/json' };
    const body = method === 'POST' ? { body: '{}' } : {};
    const { status } = await ask(`${config.publicUrl}${path}`, {
      ...trust(options),
      method,
      headers,
      ...body,
    });
    if (status !== 403 && status !== 404 && status !== 405) open.push(`${path} answers ${status}`);
  }
  if (open.length === 0) return ok(name, 'metrics, hooks and SRS’s API cannot be had from outside');
  return fail(
    name,
    open.join('; '),
    'close them in nginx: `vibesflow nginx conf` prints a site without them',
  );
}

function trust({ ca }: FrontOptions): Pick<AskOptions, 'ca'> {
  return ca === undefined ? {} : { ca };
}
