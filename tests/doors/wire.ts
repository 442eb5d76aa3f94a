/**
 * What tables of requests are written with: HTTP as it stands on the wire, so that nothing on this side mends it.
 * `{id}` stands for a vibe id that nobody had before.
 */
export interface Wire {
  readonly head: string;
  readonly body: Buffer;
  /** Waits for `101 Switching Protocols` before what follows. */
  readonly upgrades?: true;
}

/** A pause, of the sender's own accord. */
export interface Pause {
  readonly pauseMs: number;
}

/** The same bytes again and again, with pauses. */
export interface Drip {
  readonly bytes: string | Buffer;
  readonly times: number;
  readonly everyMs: number;
}

/** Waits until the vibe `{id}` is in this state. */
export interface Until {
  readonly state: string;
}

export type Step = Wire | Buffer | Pause | Drip;

export interface Content {
  readonly type?: string;
  readonly body: Buffer | string;
}

type Headers = Readonly<Record<string, string>>;

const NOTHING = Buffer.alloc(0);

/** Bytes that are no request that a client library would send. Lines end as they are written. */
export function wire(head: string, body: Buffer | string = NOTHING): Wire {
  return { head, body: Buffer.from(body) };
}

/** A whole request, which asks that the connection be closed after the answer. */
export function request(
  method: string,
  target: string,
  { headers = {}, content }: { headers?: Headers; content?: Content } = {},
): Wire {
  const body = content ? Buffer.from(content.body) : NOTHING;
  const all: Headers = {
    Host: 'localhost',
    Connection: 'close',
    ...(content?.type === undefined ? {} : { 'Content-Type': content.type }),
    ...(content ? { 'Content-Length': String(body.length) } : {}),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return { head: [`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n'), body };
}

export function get(target: string, headers: Headers = {}): Wire {
  return request('GET', target, { headers });
}

export function post(target: string, content?: Content, headers: Headers = {}): Wire {
  return request('POST', target, { headers, ...(content ? { content } : {}) });
}

/** JSON; text stays as it is. */
export function json(value: unknown, type = 'application/json'): Content {
  return { type, body: typeof value === 'string' ? value : JSON.stringify(value) };
}

export function pcm(body: Buffer, type = 'audio/pcm'): Content {
  return { type, body };
}

/** A request to become a WebSocket. */
export function upgrade(target: string, headers: Headers = {}): Wire {
  const asked = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  };
  return { ...request('GET', target, { headers: asked }), upgrades: true };
}

/** A body of unknown length, in these chunks, written by hand. */
export function chunked(target: string, chunks: string, headers: Headers = {}): Wire {
  const all = { 'Content-Type': 'audio/pcm', 'Transfer-Encoding': 'chunked', ...headers };
  return { ...request('POST', target, { headers: all }), body: Buffer.from(chunks, 'latin1') };
}

/** A WebSocket frame, however wrong. */
export function frame(
  opcode: number,
  payload: Buffer | string = NOTHING,
  { fin = true, rsv = 0, masked = true, length }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const says = length ?? bytes.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const mask = masked ? 0x80 : 0;
  if (says < 126) head.push(mask | says);
  else if (says < 65_536) head.push(mask | 126, says >> 8, says & 0xff);
  else {
    const eight = Buffer.alloc(8);
    eight.writeBigUInt64BE(BigInt(says));
    head.push(mask | 127, ...eight);
  }
  if (!masked) return Buffer.concat([Buffer.from(head), bytes]);
  const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  const hidden = Buffer.from(bytes.map((byte, at) => byte ^ (key[at & 3] as number)));
  return Buffer.concat([Buffer.from(head), key, hidden]);
}

interface FrameOptions {
  readonly fin?: boolean;
  /** The three reserved bits; 4 says "compressed". */
  readonly rsv?: number;
  readonly masked?: boolean;
  /** What the head says, where it lies. */
  readonly length?: number;
}

export const TEXT = 1;
export const BINARY = 2;
export const CONTINUATION = 0;
export const CLOSE = 8;
export const PING = 9;

export function text(words: string): Buffer {
  return frame(TEXT, words);
}

export function binary(bytes: Buffer): Buffer {
  return frame(BINARY, bytes);
}

export function hello(said: Record<string, unknown> = {}): Buffer {
  return text(JSON.stringify({ type: 'hello', ...said }));
}

export function close(code: number, reason = ''): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return frame(CLOSE, Buffer.concat([bytes, Buffer.from(reason)]));
}
