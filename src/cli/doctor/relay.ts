import net from 'node:net';
import type { Config } from '../../base/config';
import { ownToken } from '../own-token';
import { RelayApi, localUrl } from '../relay-api';
import { type Check, fail, ok, warn } from './check';

/** Above this share of its descriptors the daemon is about to refuse connections. */
const MANY_FILES = 0.8;
/** As for a shell, see `machine.ts`. */
const FEW_FILES = 8_192;
/** Where a URL of RTMP names no port. */
const DEFAULT_RTMP_PORT = 1935;

/** Whether the daemon that these settings are for runs, is ready, and its media server with it. */
export async function checkDaemon(config: Config): Promise<{ running: boolean; checks: Check[] }> {
  const name = 'daemon';
  const api = new RelayApi(localUrl(config), await ownToken(config, 'doctor'));
  let health: { status?: string; mediaServer?: { up?: boolean; kind?: string; version?: string } };
  try {
    health = await api.call('/health', {}, 3_000);
    if (typeof health.status !== 'string') throw new Error('not a relay');
  } catch {
    // Before the first start that is as it should be; not once the world is sent here.
    const isMissed = config.publicUrl.startsWith('https:');
    const found = `none answers at ${api.url}`;
    const check = isMissed
      ? fail(name, found, 'start it: `npx pm2 start ecosystem.config.js`, or by systemd')
      : warn(name, found, 'start it with `npm start`');
    return { running: false, checks: [check] };
  }
  const { up, kind = '', version = '' } = health.mediaServer ?? {};
  const checks: Check[] = [];
  if (kind !== '' && kind !== config.mediaServer) {
    const remedy = 'run the doctor where the daemon’s .env is, or restart the daemon';
    checks.push(fail(name, `runs with MEDIA_SERVER=${kind}, not ${config.mediaServer}`, remedy));
  }
  try {
    await api.call('/ready', {}, 3_000);
    checks.push(ok(name, `ready at ${api.url}`));
  } catch (error) {
    checks.push(fail(name, `runs, but is not ready: ${(error as Error).message}`, 'look into its log'));
  }
  const files = await checkItsFiles(api);
  if (files) checks.push(files);
  checks.push(await checkMedia(config, up ? `${kind} ${version}`.trim() : undefined));
  return { running: true, checks };
}

/**
 * Whether the media server takes listeners and encoders: each has a port of its own.
 * @param known the daemon's name for it; none where the daemon misses it
 */
async function checkMedia(config: Config, known: string | undefined): Promise<Check> {
  const name = 'media server';
  const isSrs = config.mediaServer === 'srs';
  const rtmp = new URL(config.rtmpUrl);
  const rtmpPort = Number(rtmp.port) || DEFAULT_RTMP_PORT;
  if (known === undefined || !(await connects(config.mediaHttpPort, isSrs ? rtmp.hostname : config.host))) {
    const remedy = isSrs ? 'start SRS, or look into its log' : 'look into the daemon’s log';
    return fail(name, `does not answer on port ${config.mediaHttpPort}`, remedy);
  }
  if (!(await connects(rtmpPort, rtmp.hostname))) {
    const remedy = isSrs
      ? 'set RTMP_URL or RTMP_PORT to where SRS takes it, and restart the daemon'
      : 'restart the daemon, with the settings that the doctor reads';
    return fail(name, `nothing takes RTMP at port ${rtmpPort}, where encoders publish`, remedy);
  }
  return ok(name, `${known} answers on port ${config.mediaHttpPort}`);
}

/** The limit of the daemon itself: a service manager gives it another one than a shell has. */
async function checkItsFiles({ url, credentials }: RelayApi): Promise<Check | undefined> {
  const name = 'daemon’s open files';
  const text = await fetch(`${url}/metrics`, { headers: credentials, signal: AbortSignal.timeout(3_000) })
    .then((response) => response.text())
    .catch(() => '');
  const value = (metric: string): number =>
    Number(new RegExp(`^vibesflow_process_${metric} (\\d+)`, 'm').exec(text)?.[1] ?? NaN);
  const [open, limit] = [value('open_fds'), value('max_fds')];
  if (Number.isNaN(open) || Number.isNaN(limit)) return undefined;
  const found = `${open} of ${limit}`;
  const remedy = `raise the limit of its service: LimitNOFILE in systemd, \`ulimit -n\` before PM2`;
  if (open / limit > MANY_FILES) return fail(name, found, remedy);
  return limit < FEW_FILES ? warn(name, found, remedy) : ok(name, found);
}

async function connects(port: number, address: string): Promise<boolean> {
  const socket = net.connect({
    port,
    host: address === '0.0.0.0' || address === '::' ? 'localhost' : address,
  });
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(3_000, () => end(false));
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
