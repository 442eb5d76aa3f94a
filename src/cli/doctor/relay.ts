import net from 'node:net';
import type { Config } from '../../base/config';
import { RelayApi, localUrl } from '../relay-api';
import { type Check, fail, ok, warn } from './check';

/** Above this share of its descriptors the daemon is about to refuse connections. */
const MANY_FILES = 0.8;
/** As for a shell, see `machine.ts`. */
const FEW_FILES = 8_192;

/** Whether the daemon that these settings are for runs, is ready, and its media server with it. */
export async function checkDaemon(config: Config): Promise<{ running: boolean; checks: Check[] }> {
  const name = 'daemon';
  const api = new RelayApi(localUrl(config));
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
  const files = await checkItsFiles(api.url);
  if (files) checks.push(files);
  const host = config.mediaServer === 'srs' ? new URL(config.rtmpUrl).hostname : config.host;
  const answers = await connects(config.mediaHttpPort, host);
  const remedy =
    config.mediaServer === 'srs' ? 'start SRS, or look into its log' : 'look into the daemon’s log';
  checks.push(
    up && answers
      ? ok('media server', `${`${kind} ${version}`.trim()} answers on port ${config.mediaHttpPort}`)
      : fail('media server', `does not answer on port ${config.mediaHttpPort}`, remedy),
  );
  return { running: true, checks };
}

/** The limit of the daemon itself: a service manager gives it another one than a shell has. */
async function checkItsFiles(url: string): Promise<Check | undefined> {
  const name = 'daemon’s open files';
  const text = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(3_000) })
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
