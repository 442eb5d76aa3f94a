import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Daemon } from '../../helpers/daemon';
import { delay } from '../../helpers/eventually';
import { httpRequest } from '../../helpers/http-request';
import { openDescriptors } from '../../helpers/processes';
import { outputOf } from '../../helpers/run-program';
import type { Bite } from '../suite/fault';

/** Connections that are tried while there are no descriptors for them: each takes one, as long as there are any. */
const CONNECTIONS = 20;

/**
 * Takes all free descriptors from a daemon that runs (`prlimit`), and knocks at its door meanwhile. Bitten when somebody
 * new gets no answer.
 */
export async function exhaustDescriptors(daemon: Daemon, ms: number): Promise<Bite> {
  const [soft, hard] = limits(daemon.pid);
  const atMs = performance.now();
  await setLimit(daemon.pid, openDescriptors(daemon.pid), hard);
  const sockets: net.Socket[] = [];
  try {
    while (sockets.length < CONNECTIONS) sockets.push(await knock(daemon));
    const answered = await httpRequest(`${daemon.apiUrl}/health`, { withinMs: 1_000 }).catch(() => undefined);
    if (answered) throw new Error(`somebody new was answered: ${answered.status}`);
    await delay(ms - (performance.now() - atMs));
    return {
      atMs,
      witness: `${openDescriptors(daemon.pid)} descriptors open, none free, nobody new answered`,
    };
  } finally {
    for (const socket of sockets) socket.destroy();
    await setLimit(daemon.pid, soft, hard);
  }
}

/** A connection that asks nothing. The kernel takes it, whatever the daemon can do. */
async function knock(daemon: Daemon): Promise<net.Socket> {
  const socket = net.connect(Number(new URL(daemon.apiUrl).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function limits(pid: number): [number, number] {
  const match = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'));
  if (!match) throw new Error(`no limit of open files for process ${pid}`);
  return [Number(match[1]), Number(match[2])];
}

async function setLimit(pid: number, soft: number, hard: number): Promise<void> {
  await outputOf('prlimit', ['--pid', String(pid), `--nofile=${soft}:${hard}`]);
  const [now] = limits(pid);
  if (now !== soft) throw new Error(`the limit is ${now}, not ${soft}`);
}
