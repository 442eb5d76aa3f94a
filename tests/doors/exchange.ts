import { performance } from 'node:perf_hooks';
import { delay } from '../helpers/eventually';
import { RawConnection } from '../helpers/raw-http';
import type { Step, Wire } from './wire';

/** Where bytes go: a port, and the authority whose certificate it shows, where it speaks TLS. */
export interface Place {
  readonly port: number;
  readonly ca?: Buffer;
  /** Where no HTTP is spoken: all that comes until the connection is closed is the body. */
  readonly isRaw?: true;
}

/** What a door said, as far as tables look at it. */
export interface Answer {
  /** 0 where there was none. */
  readonly status: number;
  /** Names in lower case; what came more than once is joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** From the last byte sent to the last byte received. */
  readonly ms: number;
  /** From the first byte sent. */
  readonly wholeMs: number;
  /** Of a WebSocket: its messages, and the code that it was closed with; 1006 where it was not closed but cut. */
  readonly messages: readonly Record<string, unknown>[];
  readonly closeCode?: number;
}

const NO_HTTP = { status: 0, headers: new Map<string, string>(), messages: [] };
/** What no door needs for an answer. */
const HANGS_MS = 25_000;

/**
 * Sends, and reads what comes until it is whole or the connection is closed.
 * @param id stands in the place of each `{id}`
 * @throws {Error} where nothing comes of it
 */
export async function exchange(place: Place, steps: readonly Step[], id: string): Promise<Answer> {
  const connection = await RawConnection.open(place.port, place.ca);
  try {
    let isWebSocket = false;
    const beganMs = performance.now();
    let sentMs = beganMs;
    for (const step of steps) {
      await send(connection, step, id);
      sentMs = performance.now();
      if (!('head' in step) || !step.upgrades) continue;
      await connection.until(/\r\n\r\n/, HANGS_MS);
      isWebSocket = connection.received.startsWith('HTTP/1.1 101 ');
      if (!isWebSocket) break;
    }
    const received = place.isRaw
      ? await ended(connection)
      : await answered(connection, isWebSocket ? isClosed : isWhole);
    const overMs = performance.now();
    const times = { ms: overMs - sentMs, wholeMs: overMs - beganMs };
    if (place.isRaw) return { ...NO_HTTP, body: received, ...times };
    return { ...(isWebSocket ? readFrames(received) : readAnswer(received)), ...times };
  } finally {
    connection.destroy();
  }
}

async function send(connection: RawConnection, step: Step, id: string): Promise<void> {
  if ('pauseMs' in step) return delay(step.pauseMs);
  if ('times' in step) {
    for (let sent = 0; sent < step.times && connection.isOpen; sent += 1) {
      connection.send(step.bytes);
      await delay(step.everyMs);
    }
    return;
  }
  connection.send(Buffer.isBuffer(step) ? step : bytesOf(step, id));
}

/** As it goes over the wire. */
export function bytesOf({ head, body }: Wire, id: string): Buffer {
  return Buffer.concat([Buffer.from(head.replaceAll('{id}', id), 'latin1'), body]);
}

/** Everything up to the end of the connection. */
async function ended(connection: RawConnection): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(new Error(`still open after ${HANGS_MS} ms, with:\n${connection.received.slice(0, 2_000)}`)),
      HANGS_MS,
    );
  });
  try {
    return await Promise.race([connection.closed, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Up to the end of one whole answer, or of the connection. */
async function answered(connection: RawConnection, isOver: (received: string) => boolean): Promise<string> {
  const closed = ended(connection);
  closed.catch(() => undefined);
  for (;;) {
    const { received } = connection;
    if (isOver(received) || !connection.isOpen) return received;
    await Promise.race([connection.more(), closed]);
    if (!connection.isOpen) return closed;
  }
}

/** Whether a WebSocket has said its last word: then it waits for ours. */
function isClosed(received: string): boolean {
  return readFrames(received).closeCode !== 1006;
}

const CONTINUE = /^HTTP\/1\.1 100 Continue\r\n\r\n/;

function isWhole(received: string): boolean {
  const said = received.replace(CONTINUE, '');
  const end = said.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const { headers, body } = readAnswer(said);
  const length = headers.get('content-length');
  if (length !== undefined) return Buffer.byteLength(body, 'latin1') >= Number(length);
  return headers.get('transfer-encoding') === 'chunked' && /\r\n0\r\n\r\n$/.test(said);
}

function readAnswer(received: string): Omit<Answer, 'ms' | 'wholeMs'> {
  const said = received.replace(CONTINUE, '');
  const [head = '', ...rest] = said.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    const value = line.slice(line.indexOf(':') + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  const whole = rest.join('\r\n\r\n');
  const body = headers.get('transfer-encoding') === 'chunked' ? unchunked(whole) : whole;
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers, body, messages: [] };
}

function unchunked(body: string): string {
  let out = '';
  for (let at = 0; at < body.length;) {
    const end = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.slice(at, end), 16);
    if (!(length > 0)) break;
    out += body.slice(end + 2, end + 2 + length);
    at = end + 2 + length + 2;
  }
  return out;
}

/** The frames of a server: never masked, never in pieces. */
function readFrames(received: string): Omit<Answer, 'ms' | 'wholeMs'> {
  const bytes = Buffer.from(received.slice(received.indexOf('\r\n\r\n') + 4), 'latin1');
  const messages: Record<string, unknown>[] = [];
  let closeCode: number | undefined;
  for (let at = 0; at + 2 <= bytes.length;) {
    const opcode = (bytes[at] as number) & 0x0f;
    const short = (bytes[at + 1] as number) & 0x7f;
    const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + headBytes > bytes.length) break;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    const payload = bytes.subarray(at + headBytes, at + headBytes + length);
    if (at + headBytes + length > bytes.length) break;
    if (opcode === 1) messages.push(JSON.parse(payload.toString()) as Record<string, unknown>);
    if (opcode === 8) closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    at += headBytes + length;
  }
  return { status: 101, headers: new Map(), body: '', messages, closeCode: closeCode ?? 1006 };
}
