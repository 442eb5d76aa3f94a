import { randomInt } from 'node:crypto';
import net from 'node:net';

/**
 * Where test ports come from: above what services have by default, and below what Linux (from 32768) and macOS (from
 * 49152) take for the near end of outgoing connections. A port that the system hands out itself (`listen(0)`) may
 * become the near end of anybody's connection between its choice and its use.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

let next = randomInt(FIRST_PORT, LAST_PORT);

/** A TCP port on loopback that nobody listens on, and that no other test process on this machine is given. */
export async function freePort(): Promise<number> {
  for (let tries = FIRST_PORT; tries <= LAST_PORT; tries += 1) {
    const port = next;
    next = port === LAST_PORT ? FIRST_PORT : port + 1;
    if ((await isFree(port)) && (await claim(port))) return port;
  }
  throw new Error(`no port from ${FIRST_PORT} to ${LAST_PORT} is free`);
}

/** `count` different free ports. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** Whether a server could have this port on loopback now. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listening({ port, host: '127.0.0.1' });
  if (!server) return false;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return true;
}

/** Whether a server takes connections at this port on loopback now. Unlike `isFree`, it is in nobody's way. */
export async function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Claims a port against test processes that run at the same time, for as long as this process lives: a name that only
 * one can have, and that goes with its process. Where there are no such names, on systems other than Linux, chance has
 * to do: each process begins to look somewhere else.
 */
async function claim(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const server = await listening({ path: `\0vibesflow-test-port-${port}` });
  server?.unref();
  return server !== undefined;
}

async function listening(where: net.ListenOptions): Promise<net.Server | undefined> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(where, () => resolve(server));
  });
}
