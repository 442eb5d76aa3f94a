import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { delay, eventually } from '../../helpers/eventually';
import { type HttpAnswer, httpRequest } from '../../helpers/http-request';
import { openDescriptors } from '../../helpers/processes';
import { outputOf } from '../../helpers/run-program';
import type { Bite } from '../suite/fault';

/** More connections than a daemon of two vibes has descriptors above its count of them: each takes one that is free. */
const CONNECTIONS = 100;
/** As soon as there are descriptors again, so is the door. */
const BACK_WITHIN_MS = 5_000;

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
  let turnedAway: number;
  try {
    while (sockets.length < CONNECTIONS) sockets.push(await knock(url));
    await eventually('it hangs up', () => hungUp() > CONNECTIONS / 2);
    const answered = await askAnew(url);
    if (answered) throw new Error(`somebody new was answered: ${answered.status}`);
    await delay(ms - (performance.now() - atMs));
    turnedAway = hungUp();
  } finally {
    for (const socket of sockets) socket.destroy();
    await setLimit(pid, soft, hard);
  }
  await eventually('somebody new is answered', () => askAnew(url), { withinMs: BACK_WITHIN_MS });
  return { atMs, witness: `hung up on ${turnedAway} of ${CONNECTIONS} who knocked, and answered nobody new` };
}

/**
 * Takes more than all free descriptors from a server that runs: also the one that its event loop keeps in reserve, so that
 * it can hang up on who knocks. Bitten when nobody new gets an answer, while those who knocked are kept waiting.
 */
export async function starveOfDescriptors({ pid, url }: Household, ms: number): Promise<Bite> {
  const [soft, hard] = limits(pid);
  const atMs = performance.now();
  const sockets: net.Socket[] = [];
  await setLimit(pid, 1, hard);
  try {
    while (sockets.length < 20) sockets.push(await knock(url));
    if (await askAnew(url)) throw new Error('somebody new was answered');
    await delay(ms - (performance.now() - atMs));
  } finally {
    for (const socket of sockets) socket.destroy();
    await setLimit(pid, soft, hard);
  }
  await eventually('somebody new is answered', () => askAnew(url), { withinMs: BACK_WITHIN_MS });
  return { atMs, witness: 'it could open nothing at all, and answered nobody new' };
}

/** Asks over a connection of its own: one that is kept alive needs no descriptor. @returns nothing where nobody answers */
export async function askAnew(url: string): Promise<HttpAnswer | undefined> {
  const agent = new http.Agent({ keepAlive: false });
  return httpRequest(`${url}/health`, { agent, withinMs: 1_000 }).catch(() => undefined);
}

/** Who asks on a connection of his own, and what he is told: nothing, where it is closed on him. */
export async function askOn(socket: net.Socket): Promise<string> {
  let told = '';
  socket.on('data', (bytes: Buffer) => (told += bytes.toString('latin1')));
  socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await eventually('it is closed', () => socket.closed, { withinMs: 2_000 });
  return told;
}

/** A connection that asks nothing. The kernel takes it, whatever the server can do. */
export async function knock(url: string): Promise<net.Socket> {
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
