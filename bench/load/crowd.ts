/*
 * A process of its own that is many listeners at once, and as cheap as Node allows: all of them read into one buffer, and of
 * what they read only the length and the time are kept. Told what to do over its channel, by bench/fan-out/crowd.ts; ends with it.
 */
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { answerQuestions } from '../lib/asked-process';
import { rtmpPlay } from './rtmp-play';
import type { CrowdAnswer, CrowdOrder, Door, Hello } from '../fan-out/crowd-messages';

/** Less than what a server's queue of new connections holds (511 of Node's): a full one costs a second each. */
const JOINING_AT_ONCE = 200;
/** A server that lets nobody in for so long has had enough. */
const GIVE_UP_MS = 5_000;
const READ_BYTES = 64 * 1024;
const readBuffer = Buffer.allocUnsafe(READ_BYTES);

/** One of many: what it has read since the last reset. */
class Listener {
  bytes = 0;
  worstGapMs = 0;
  lastReadMs = 0;
  isConnected = false;
  readonly #socket: net.Socket;

  constructor(door: Door, onSettled: () => void) {
    const hello = door.kind === 'http' ? httpHello(door) : rtmpPlay(door);
    const socket = (this.#socket = net.connect({
      host: '127.0.0.1',
      port: door.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.#read(length, hello, onSettled) },
    }));
    socket.once('connect', () => socket.write(hello.begin));
    socket.once('close', () => {
      this.isConnected = false;
      onSettled();
    });
    socket.on('error', () => undefined);
  }

  reset(nowMs: number): void {
    this.bytes = 0;
    this.worstGapMs = 0;
    this.lastReadMs = nowMs;
  }

  leave(): void {
    this.#socket.destroy();
  }

  #read(length: number, hello: Hello, onSettled: () => void): boolean {
    if (this.isConnected) {
      const nowMs = performance.now();
      const gapMs = nowMs - this.lastReadMs;
      if (gapMs > this.worstGapMs) this.worstGapMs = gapMs;
      this.lastReadMs = nowMs;
      this.bytes += length;
      return true;
    }
    const reply = hello.answer(readBuffer.subarray(0, length));
    if (reply === 'refused') this.leave();
    else if (reply === 'playing') {
      this.isConnected = true;
      this.lastReadMs = performance.now();
      onSettled();
    } else if (reply) this.#socket.write(reply);
    return true;
  }
}

function httpHello({ path, port }: Door): Hello {
  return {
    begin: Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\n\r\n`),
    // What comes first begins with the status; a bare fan-out has none.
    answer: (bytes) => (/^HTTP\/1\.[01] [^2]/.test(bytes.toString('latin1', 0, 16)) ? 'refused' : 'playing'),
  };
}

let listeners: Listener[] = [];

/** Resolves when all are in, or nobody came in for a while. */
async function join(door: Door, count: number, atOnce: number): Promise<void> {
  let begun = 0;
  let settled = 0;
  await new Promise<void>((resolve) => {
    let patience = setTimeout(resolve, GIVE_UP_MS);
    const more = (): void => {
      while (begun < count && begun - settled < atOnce) {
        begun += 1;
        let isSettled = false;
        const onSettled = (): void => {
          if (isSettled) return;
          isSettled = true;
          settled += 1;
          clearTimeout(patience);
          if (settled === count) return resolve();
          patience = setTimeout(resolve, GIVE_UP_MS);
          more();
        };
        listeners.push(new Listener(door, onSettled));
      }
    };
    more();
  });
}

let isAwake = false;

/**
 * Until it is told to look, this process does not sleep. Listeners on a network do not either, as far as a server can tell;
 * on the same machine each of its writes would pay for waking them up, and the more so the fewer they are.
 */
function stayAwake(): void {
  if (isAwake) setImmediate(stayAwake);
}

async function obey(order: CrowdOrder): Promise<CrowdAnswer> {
  const nowMs = performance.now();
  switch (order.type) {
    case 'join':
      await join(order.door, order.count, order.atOnce ?? JOINING_AT_ONCE);
      return { joined: listeners.filter((listener) => listener.isConnected).length };
    case 'reset':
      for (const listener of listeners) listener.reset(nowMs);
      isAwake = order.awake;
      stayAwake();
      return {};
    case 'look':
      isAwake = false;
      return {
        bytes: listeners.map((listener) => listener.bytes),
        // One that has stopped hearing has a gap that goes on.
        worstGapsMs: listeners.map(({ worstGapMs, lastReadMs }) => Math.max(worstGapMs, nowMs - lastReadMs)),
        connected: listeners.filter((listener) => listener.isConnected).length,
      };
    case 'leave':
      for (const listener of listeners) listener.leave();
      listeners = [];
      return {};
  }
}

answerQuestions(obey);
