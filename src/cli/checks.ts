import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Config } from '../base/config';
import { findFfmpeg, probeFfmpeg } from '../encoder/ffmpeg-path';
import { RelayApi, localUrl } from './relay-api';

/** What was looked at, what was found, and what to do about it. */
export interface Check {
  readonly name: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly found: string;
  readonly remedy?: string;
}

const OLDEST_NODE = [20, 19] as const;
/** Each listener and each encoder takes descriptors; 200 vibes with a few thousand listeners need this many. */
const ENOUGH_FILES = 8_192;

const ok = (name: string, found: string): Check => ({ name, result: 'ok', found });
const warn = (name: string, found: string, remedy: string): Check => ({
  name,
  result: 'warn',
  found,
  remedy,
});
const fail = (name: string, found: string, remedy: string): Check => ({
  name,
  result: 'fail',
  found,
  remedy,
});

export function checkNode(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (isNew) return ok('node', `Node ${version}`);
  return fail('node', `Node ${version}`, `install Node ${OLDEST_NODE.join('.')} or newer`);
}

/**
 * Whether an FFmpeg is there that can do the work.
 * @param configured the setting FFMPEG_PATH
 */
export async function checkFfmpeg(
  configured: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Check> {
  const name = 'ffmpeg';
  const environment = { PATH: env['PATH'] ?? '' };
  try {
    const { version, path: program } = await probeFfmpeg(findFfmpeg(configured, environment), environment);
    return ok(name, `FFmpeg ${version} (${program}), with the AAC encoder and RTMP output`);
  } catch (error) {
    const { message } = error as Error;
    return fail(name, message, 'install FFmpeg 4 or newer, or set FFMPEG_PATH to one that has these');
  }
}

/** Whether the daemon that these settings are for runs, is ready, and its media server with it. */
export async function checkDaemon(config: Config): Promise<{ running: boolean; checks: Check[] }> {
  const name = 'daemon';
  const api = new RelayApi(localUrl(config));
  let health: { status?: string; mediaServer?: { up?: boolean; kind?: string; version?: string } };
  try {
    health = await api.call('/health', {}, 3_000);
    if (typeof health.status !== 'string') throw new Error('not a relay');
  } catch {
    return {
      running: false,
      checks: [warn(name, `none answers at ${api.url}`, 'start it with `npm start`')],
    };
  }
  const checks: Check[] = [];
  try {
    await api.call('/ready', {}, 3_000);
    checks.push(ok(name, `ready at ${api.url}`));
  } catch (error) {
    checks.push(fail(name, `runs, but is not ready: ${(error as Error).message}`, 'look into its log'));
  }
  const { up, kind = '', version = '' } = health.mediaServer ?? {};
  const answers = await connects(config.mediaHttpPort, config.host);
  checks.push(
    up && answers
      ? ok('media server', `${`${kind} ${version}`.trim()} answers on port ${config.mediaHttpPort}`)
      : fail('media server', `does not answer on port ${config.mediaHttpPort}`, 'look into the daemon’s log'),
  );
  return { running: true, checks };
}

/** Whether the daemon's ports can be had; where it runs, it has them. */
export async function checkPorts(config: Config, running: boolean): Promise<Check[]> {
  const ports = [
    { setting: 'PORT', port: config.port, host: config.host },
    { setting: 'MEDIA_HTTP_PORT', port: config.mediaHttpPort, host: config.host },
    { setting: 'RTMP_PORT', port: config.rtmpPort, host: '127.0.0.1' },
  ];
  return Promise.all(
    ports.map(async ({ setting, port, host }) => {
      const name = `port ${port}`;
      if (running) return ok(name, `${setting}: the daemon has it`);
      const fault = await bindFault(port, host);
      if (fault === undefined) return ok(name, `${setting}: free`);
      const remedy = `end what holds it (\`ss -ltnp 'sport = :${port}'\` tells), or set ${setting}`;
      return fail(
        name,
        `${setting}: ${fault === 'EADDRINUSE' ? 'in use by another program' : fault}`,
        remedy,
      );
    }),
  );
}

async function bindFault(port: number, host: string): Promise<string | undefined> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
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

/** Whether DATA_DIR is a directory to write to, or can be made. Nothing is made here. */
export function checkDataDir(directory: string): Check {
  const name = 'data directory';
  const remedy = 'set DATA_DIR to a directory that the daemon may write to';
  let existing = directory;
  while (!existsSync(existing)) existing = path.dirname(existing);
  if (!statSync(existing).isDirectory()) return fail(name, `${existing} is not a directory`, remedy);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    return fail(name, `${existing} cannot be written to`, remedy);
  }
  return ok(name, existing === directory ? directory : `${directory} (will be made)`);
}

/** How many files a process may have open. @param limits the text of /proc/self/limits */
export function checkOpenFiles(limits = readOrEmpty('/proc/self/limits')): Check {
  const name = 'open files';
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined)
    return warn(name, 'the limit cannot be read here', `make sure that it is ${ENOUGH_FILES} or more`);
  if (soft === 'unlimited' || Number(soft) >= ENOUGH_FILES) return ok(name, `limit ${soft}`);
  return warn(name, `limit ${soft}`, `raise it for many listeners: \`ulimit -n ${ENOUGH_FILES}\``);
}

/** Whether setpriv is there: with it, encoders end with the daemon even when it is killed. */
export function checkSetpriv(found: string | undefined): Check {
  if (found) return ok('setpriv', found);
  const remedy =
    'install util-linux: encoders then end with a daemon that is killed, even while they are stuck';
  return warn('setpriv', 'not found', remedy);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
