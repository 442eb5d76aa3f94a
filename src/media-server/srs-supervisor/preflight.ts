import { createSocket } from 'node:dgram';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { prepareDataDir } from '../../base/data-dir';
import { EXIT_CANT_CREATE, EXIT_UNAVAILABLE, OperatorError } from '../../base/errors';
import { hlsDirectory, MAX_CONNECTIONS, RESERVED_FILES } from '../srs/conf';

/** A port that SRS opens, with the setting that names it. */
export interface SrsPort {
  readonly setting: string;
  readonly port: number;
  /** `0.0.0.0` for those of WebRTC, which take no address. */
  readonly host: string;
  readonly protocol: 'tcp' | 'udp';
}

export interface SrsPorts {
  readonly rtmpPort: number;
  readonly httpPort: number;
  readonly apiPort: number;
  readonly rtcPort: number;
}

export function portsOf({ rtmpPort, httpPort, apiPort, rtcPort }: SrsPorts): readonly SrsPort[] {
  const loopback = { host: '127.0.0.1', protocol: 'tcp' } as const;
  return [
    { setting: 'RTMP_PORT', port: rtmpPort, ...loopback },
    { setting: 'MEDIA_HTTP_PORT', port: httpPort, ...loopback },
    { setting: 'MEDIA_API_PORT', port: apiPort, ...loopback },
    { setting: 'RTC_PORT', port: rtcPort, host: '0.0.0.0', protocol: 'tcp' },
    { setting: 'RTC_PORT', port: rtcPort, host: '0.0.0.0', protocol: 'udp' },
  ];
}

/**
 * Whether SRS could have these ports for itself. It would start all the same: SRS lets others share its ports
 * (SO_REUSEPORT), and the kernel then gives each a part of the connections, without a word. A listener of ours does not share.
 * @returns what is wrong, in one line; `undefined` where all are free
 */
export async function portFault(ports: readonly SrsPort[]): Promise<string | undefined> {
  for (const { setting, port, host, protocol } of ports) {
    const code = await (protocol === 'tcp' ? tcpFault(port, host) : udpFault(port, host));
    const name = `${protocol === 'udp' ? 'UDP port' : 'Port'} ${port} (${setting})`;
    if (code === 'EADDRINUSE')
      return `${name} is in use, perhaps by another SRS: end what holds it (ss -lntup 'sport = :${port}' tells), or set ${setting}`;
    if (code !== undefined) return `${name} cannot be opened (${code}): set ${setting} to another`;
  }
  return undefined;
}

async function tcpFault(port: number, host: string): Promise<string | undefined> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function udpFault(port: number, address: string): Promise<string | undefined> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
      socket.close();
    });
    socket.bind({ port, address, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

/**
 * SRS does not start where it may not open a file for each connection, and some more. Node has already taken all that
 * this user may have, and children inherit it.
 * @param limits the text of /proc/self/limits
 * @throws {OperatorError} 69
 */
export function assertFilesLimit(limits = readLimits()): void {
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  const needed = MAX_CONNECTIONS + RESERVED_FILES;
  if (soft === undefined || soft === 'unlimited' || Number(soft) > needed) return;
  throw new OperatorError(
    `SRS needs more than ${needed} open files and may have ${soft}: raise the limit (ulimit -n, or LimitNOFILE= of systemd)`,
    EXIT_UNAVAILABLE,
  );
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}

/**
 * Makes the directory of SRS and writes its configuration there, for this user and its group alone: it may hold the secret
 * of the hooks.
 * @returns the path of the configuration
 * @throws {OperatorError} 73 where that cannot be done
 */
export function writeConf(directory: string, text: string): string {
  prepareDataDir(directory);
  const file = path.join(directory, 'srs.conf');
  const draft = `${file}.new`;
  try {
    clearHls(directory);
    rmSync(draft, { force: true });
    writeFileSync(draft, text, { mode: 0o640 });
    renameSync(draft, file);
  } catch (error) {
    // Files in there may belong to another user, such as root's from an earlier start.
    throw new OperatorError(
      `SRS’s directory cannot be made ready: ${(error as Error).message}`,
      EXIT_CANT_CREATE,
    );
  }
  return file;
}

/** Takes away what an earlier SRS left of its HLS: some releases never do, and players would take it for live. */
export function clearHls(directory: string): void {
  rmSync(hlsDirectory(directory), { recursive: true, force: true });
  mkdirSync(hlsDirectory(directory), { mode: 0o750 });
}
