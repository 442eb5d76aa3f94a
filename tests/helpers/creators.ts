import type http from 'node:http';
import { once } from 'node:events';
import { httpRequest } from './http-request';
import { paced, type Pacing, type Send } from './pacing';
import { webAgent, webRequest } from './web';
import { WebSocketCreator } from './websocket-creator';

/** Where a creator sends: a daemon and a vibe. */
export interface Target {
  readonly apiUrl: string;
  readonly vibeId: string;
}

/** Sends s16le stereo PCM at 48 kHz through one door; resolves when the daemon has acknowledged all of it. */
export type Creator = (target: Target, pcm: Buffer, pacing: Pacing) => Promise<Send[]>;

interface ShortPost {
  readonly query?: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer | string;
}

/** One POST a chunk, each answered before the next, over one kept-alive connection. */
export function shortPosts(wrap: (chunk: Buffer, index: number) => ShortPost): Creator {
  return async ({ apiUrl, vibeId }, pcm, pacing) => {
    const agent = webAgent(apiUrl, { keepAlive: true, maxSockets: 1 });
    try {
      return await paced(pcm, pacing, async (chunk, index) => {
        const { query = '', headers, body } = wrap(chunk, index);
        const url = `${apiUrl}/stream/${vibeId}/audio${query}`;
        const answer = await httpRequest(url, { method: 'POST', headers, body, agent });
        if (answer.status !== 202)
          throw new Error(`chunk ${index}: ${answer.status} ${answer.body.toString().slice(0, 300)}`);
      });
    } finally {
      agent.destroy();
    }
  };
}

/**
 * One POST for everything: `Transfer-Encoding: chunked`, or with a `Content-Length` where `announced`. With
 * `unpaced`, written as fast as the daemon reads, as `curl -T` does.
 */
export function longPost(options: {
  contentType: string;
  query?: string;
  announced?: boolean;
  unpaced?: boolean;
  header?: (pcm: Buffer) => Buffer;
}): Creator {
  return async ({ apiUrl, vibeId }, pcm, pacing) => {
    const header = options.header?.(pcm) ?? Buffer.alloc(0);
    const request = webRequest(`${apiUrl}/stream/${vibeId}/audio${options.query ?? ''}`, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': options.contentType,
        ...(options.announced ? { 'content-length': header.length + pcm.length } : {}),
      },
    });
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
    });
    let isAnswered = false;
    answered.finally(() => (isAnswered = true)).catch(() => undefined);
    const write = async (bytes: Buffer): Promise<void> => {
      // An answer before the end is a refusal; what it says is told below.
      if (isAnswered || request.write(bytes)) return;
      await Promise.race([once(request, 'drain'), answered]);
    };
    if (header.length > 0) await write(header);
    const sends = await paced(pcm, options.unpaced ? { ...pacing, leadMs: Infinity } : pacing, write);
    if (!isAnswered) request.end();
    const answer = await answered;
    const said = Buffer.concat(await answer.toArray()).toString();
    if (answer.statusCode !== 202) throw new Error(`${answer.statusCode} ${said.slice(0, 300)}`);
    return sends;
  };
}

/** Binary messages on the WebSocket door; waits until the daemon has acknowledged the last of them. */
export function webSocket(hello?: Record<string, unknown>): Creator {
  return async (target, pcm, pacing) => {
    const creator = await WebSocketCreator.connect(target, { hello });
    await creator.message('ready');
    const sends = await paced(pcm, pacing, (chunk) => creator.send(chunk));
    await creator.close();
    return sends;
  };
}

/** A RIFF/WAVE header for s16le stereo at 48 kHz before `bytes` bytes of audio. */
export function wavHeader(bytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + bytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(2, 22);
  header.writeUInt32LE(48_000, 24);
  header.writeUInt32LE(192_000, 28);
  header.writeUInt16LE(4, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(bytes, 40);
  return header;
}

const json = (value: unknown): ShortPost => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

export const postRaw = shortPosts((body) => ({
  headers: { 'content-type': 'application/octet-stream' },
  body,
}));
export const postPcm = shortPosts((body) => ({
  headers: { 'content-type': 'audio/pcm;rate=48000;channels=2' },
  body,
}));
export const postByQuery = shortPosts((body, index) => ({
  query: `?sampleRate=48000&channels=2&format=s16le&sequence=${index}`,
  headers: { 'content-type': 'application/octet-stream' },
  body,
}));
export const postWav = shortPosts((chunk) => ({
  headers: { 'content-type': 'audio/wav' },
  body: Buffer.concat([wavHeader(chunk.length), chunk]),
}));
export const postJson = shortPosts((chunk, sequence) =>
  json({ audioData: chunk.toString('base64'), sampleRate: 48_000, channels: 2, sequence }),
);
export const postLyria = shortPosts((chunk) =>
  json({
    serverContent: {
      audioChunks: [{ data: chunk.toString('base64'), mimeType: 'audio/l16;rate=48000;channels=2' }],
    },
  }),
);

/** Every ingest door of the contract, by a name fit for test titles and vibe ids, with its chunk length. */
export const DOORS: readonly { name: string; chunkMs: number; send: Creator }[] = [
  { name: 'short-posts-20ms', chunkMs: 20, send: postRaw },
  { name: 'short-posts-500ms', chunkMs: 500, send: postPcm },
  { name: 'short-posts-2s-numbered', chunkMs: 2_000, send: postByQuery },
  {
    name: 'long-chunked-post',
    chunkMs: 20,
    send: longPost({ contentType: 'audio/l16;rate=48000;channels=2' }),
  },
  {
    name: 'long-post-with-length',
    chunkMs: 100,
    send: longPost({ contentType: 'audio/pcm', announced: true, unpaced: true }),
  },
  {
    name: 'long-wav-post',
    chunkMs: 100,
    send: longPost({
      contentType: 'audio/wav',
      announced: true,
      unpaced: true,
      header: (pcm) => wavHeader(pcm.length),
    }),
  },
  { name: 'short-wav-posts-1s', chunkMs: 1_000, send: postWav },
  { name: 'base64-json-500ms', chunkMs: 500, send: postJson },
  { name: 'lyria-messages-2s', chunkMs: 2_000, send: postLyria },
  { name: 'websocket-20ms', chunkMs: 20, send: webSocket() },
  {
    name: 'websocket-with-hello-100ms',
    chunkMs: 100,
    send: webSocket({ format: 's16le', sampleRate: 48_000, channels: 2 }),
  },
];
