import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { eventually } from '../../helpers/eventually';
import { runProgram } from '../../helpers/run-program';

/** The state of a TCP connection that stands, as /proc/net/tcp writes it. */
const ESTABLISHED = '01';

/** A TCP connection over IPv4, as one process has it. */
export interface Connection {
  readonly localPort: number;
  readonly remotePort: number;
}

/** The established connections of a process to a port. */
export function connectionsOf(pid: number, remotePort: number): Connection[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === ESTABLISHED && inodes.has(fields[9] ?? ''))
    .map(([, local = '', remote = '']) => ({ localPort: portOf(local), remotePort: portOf(remote) }))
    .filter((connection) => connection.remotePort === remotePort);
}

/**
 * Cuts a connection of a process in the kernel (`ss -K`), as a firewall that forgets or a network that goes does.
 * @returns when it was done; the connection is seen to be gone
 * @throws {Error} where the process has not just one connection to that port
 */
export async function cut(pid: number, remotePort: number): Promise<number> {
  const [connection, ...others] = connectionsOf(pid, remotePort);
  if (!connection || others.length > 0)
    throw new Error(
      `not one connection of process ${pid} to port ${remotePort} but ${others.length + (connection ? 1 : 0)}`,
    );
  const atMs = performance.now();
  const { localPort } = connection;
  const filter = ['sport', '=', `:${localPort}`, 'and', 'dport', '=', `:${remotePort}`];
  const { exitCode, stderr } = await runProgram('ss', ['-K', '-t', '-n', ...filter]);
  if (exitCode !== 0) throw new Error(`ss -K: ${stderr}`);
  await eventually(`the connection from port ${localPort} is gone`, () => !stands(localPort, remotePort), {
    withinMs: 2_000,
  });
  return atMs;
}

function stands(localPort: number, remotePort: number): boolean {
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .some(
      ([, local = '', remote = '', state]) =>
        state === ESTABLISHED && portOf(local) === localPort && portOf(remote) === remotePort,
    );
}

function portOf(address: string): number {
  return parseInt(address.split(':')[1] ?? '', 16);
}
