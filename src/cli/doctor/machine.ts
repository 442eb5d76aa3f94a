import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync, statfsSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Config } from '../../base/config';
import { findFfmpeg, probeFfmpeg } from '../../encoder/ffmpeg-path';
import { type Check, fail, ok, warn } from './check';
import { isLoopback, portHolders } from './port-holders';

const OLDEST_NODE = [20, 19] as const;
/** Each listener and each encoder takes descriptors; 200 vibes with a few thousand listeners need this many. */
const ENOUGH_FILES = 8_192;
/** The relay writes logs only, and SRS some seconds of HLS a stream; but a full disk stops both. */
const LOW_BYTES = 1024 ** 3;
const FULL_BYTES = 64 * 1024 ** 2;

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

/**
 * Whether the ports that the daemon opens by itself can be had; where it runs, it has them.
 * @param running whether the daemon that these settings are for answers
 */
export async function checkPorts(config: Config, running: boolean): Promise<Check[]> {
  const own = [{ setting: 'PORT', port: config.port, host: config.host }];
  const media = [
    { setting: 'MEDIA_HTTP_PORT', port: config.mediaHttpPort, host: config.host },
    { setting: 'RTMP_PORT', port: config.rtmpPort, host: '127.0.0.1' },
  ];
  const ports = config.mediaServer === 'embedded' ? [...own, ...media] : own;
  return Promise.all(
    ports.map(async ({ setting, port, host }) => {
      const name = `port ${port}`;
      if (running) return ok(name, `${setting}: the daemon has it`);
      const fault = await bindFault(port, host);
      if (fault === undefined) return ok(name, `${setting}: free`);
      const holder = portHolders(port).find(({ program }) => program)?.program ?? 'another program';
      const remedy = `end what holds it (\`ss -ltnp 'sport = :${port}'\` tells), or set ${setting}`;
      return fail(name, `${setting}: ${fault === 'EADDRINUSE' ? `in use by ${holder}` : fault}`, remedy);
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

/**
 * Whether something listens to the whole network that should only listen to this machine. None of these ports knows a
 * password: nginx is what stands in front.
 */
export function checkExposure(config: Config): Check {
  const name = 'exposure';
  const ports = [
    { setting: 'MEDIA_API_PORT', port: config.mediaApiPort, danger: 'lets anybody end any stream' },
    { setting: 'RTMP_PORT', port: config.rtmpPort, danger: 'is for this machine’s encoders only' },
    { setting: 'PORT', port: config.port, danger: 'has no TLS, and hands out /metrics' },
    { setting: 'MEDIA_HTTP_PORT', port: config.mediaHttpPort, danger: 'has no TLS and no limits' },
  ];
  const open = ports.flatMap(({ setting, port, danger }) => {
    const holder = portHolders(port).find(({ address }) => !isLoopback(address));
    return holder ? [`port ${port} (${setting}, ${holder.address}) ${danger}`] : [];
  });
  if (open.length === 0) return ok(name, 'what listens, listens on loopback');
  const remedy = 'bind it to 127.0.0.1 (HOST for the daemon), or close the port in the firewall';
  return warn(name, open.join('; '), remedy);
}

/** Whether there is room for logs, and for SRS's HLS. @param directory DATA_DIR, which need not exist yet */
export function checkDisk(directory: string, free: (existing: string) => number = freeBytes): Check {
  const name = 'disk';
  const bytes = free(nearest(directory));
  const found = `${(bytes / 2 ** 30).toFixed(1)} GiB free for ${directory}`;
  const remedy = 'make room: logs, old releases, package caches; or set DATA_DIR to another disk';
  if (bytes < FULL_BYTES) return fail(name, found, remedy);
  return bytes < LOW_BYTES ? warn(name, found, remedy) : ok(name, found);
}

function freeBytes(existing: string): number {
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

/**
 * Whether the clock follows others: logs of two machines are compared by it, and certificates need it.
 * @param timedatectl what `timedatectl show --property=NTPSynchronized --value` says
 * @returns nothing where nobody here can tell, as in a container
 */
export function checkClock(timedatectl = readNtp()): Check | undefined {
  const name = 'clock';
  if (timedatectl === 'yes') return ok(name, 'kept in time by NTP');
  if (timedatectl !== 'no') return undefined;
  return warn(name, 'not kept in time', '`timedatectl set-ntp true`');
}

function readNtp(): string {
  const args = ['show', '--property=NTPSynchronized', '--value'];
  return spawnSync('timedatectl', args, { encoding: 'utf8', timeout: 2_000 }).stdout?.trim() ?? '';
}

/** Whether DATA_DIR is a directory to write to, or can be made. Nothing is made here. */
export function checkDataDir(directory: string): Check {
  const name = 'data directory';
  const remedy = 'set DATA_DIR to a directory that the daemon may write to';
  const existing = nearest(directory);
  if (!statSync(existing).isDirectory()) return fail(name, `${existing} is not a directory`, remedy);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    return fail(name, `${existing} cannot be written to`, remedy);
  }
  return ok(name, existing === directory ? directory : `${directory} (will be made)`);
}

/** The directory, or the nearest above it that exists. */
function nearest(directory: string): string {
  return existsSync(directory) ? directory : nearest(path.dirname(directory));
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
