import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../../helpers/eventually';
import { httpRequest } from '../../helpers/http-request';
import { openDescriptors } from '../../helpers/processes';
import { outputOf } from '../../helpers/run-program';
import type { Bite } from '../suite/fault';

/** More connections than a daemon of two vibes has descriptors above its count of them: each takes one that is free. */
const CONNECTIONS = 100;

/** Who is to be without descriptors, and where one knocks at its door. */
export interface Household {
  readonly pid: number;
  readonly url: string;
}

/**
 * Takes all free descriptors from a server that runs (`prlimit`), and knocks at its door meanwhile. Bitten when it has to
 * hang up on who knocks, and somebody new gets no answer.
 */
export async function exhaustDescriptors({ pid, url }: Household, ms: number): Promise<Bite> {
  const [soft, hard] = limits(pid);
  const atMs = performance.now();
  await setLimit(pid, openDescriptors(pid), hard);
  const sockets: net.Socket[] = [];
  const hungUp = (): number => sockets.filter(({ closed }) => closed).length;
  try {
    while (sockets.length < CONNECTIONS) sockets.push(await knock(url));
    await eventually('it hangs up', () => hungUp() > CONNECTIONS / 2);
    const answered = await httpRequest(`${url}/health`, { withinMs: 1_000 }).catch(() => undefined);
    if (answered) throw new Error(`somebody new was answered: ${answered.status}`);
    await delay(ms - (performance.now() - atMs));
    return { atMs, witness: `hung up on ${hungUp()} of ${CONNECTIONS} who knocked, and answered nobody new` };
  } finally {
    for (const socket of sockets) socket.destroy();
    await setLimit(pid, soft, hard);
  }
}

/** A connection that asks nothing. The kernel takes it, whatever the server can do. */
async function knock(url: string): Promise<net.Socket> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
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
