import http from 'node:http';
import { postRaw, wavHeader } from '../helpers/creators';
import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest, jsonRequest } from '../helpers/http-request';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { WebSocketCreator } from '../helpers/websocket-creator';

const SECOND = music(1, 71);
/** The innocent creator shares its process with the senders of megabytes, and is ahead by what that may keep it from sending. */
const AHEAD_SECONDS = 8;
/** As long as the rest may take on a slow machine. */
const CONTROL_SECONDS = 25;
const json = (value: unknown): { headers: http.OutgoingHttpHeaders; body: string } => ({
  headers: { 'content-type': 'application/json' },
  body: typeof value === 'string' ? value : JSON.stringify(value),
});
const raw = (body: Buffer, type = 'audio/pcm'): { headers: http.OutgoingHttpHeaders; body: Buffer } => ({
  headers: { 'content-type': type },
  body,
});

/** What a client should not send, and the refusal that the contract has for it. `%` stands for a fresh vibe id. */
const REFUSALS: readonly {
  what: string;
  path: string;
  send: { headers: http.OutgoingHttpHeaders; body: Buffer | string };
  status: number;
  code?: string;
}[] = [
  { what: 'a vibe id with a dot', path: '/stream/a.b/audio', send: raw(SECOND), status: 400 },
  { what: 'a vibe id that climbs', path: '/stream/..%2f..%2fetc/audio', send: raw(SECOND), status: 400 },
  {
    what: 'a vibe id with a tee separator',
    path: '/stream/a%7C%5Bf=adts%5Dx/audio',
    send: raw(SECOND),
    status: 400,
  },
  {
    what: 'a vibe id like an option',
    path: '/stream/-report/start',
    send: json({ creator: 'a' }),
    status: 400,
  },
  {
    what: 'a start that is not JSON',
    path: '/stream/%/start',
    send: json('{'),
    status: 400,
    code: 'invalid-json',
  },
  { what: 'an unknown media type', path: '/stream/%/audio', send: raw(SECOND, 'image/png'), status: 415 },
  { what: 'an unknown format', path: '/stream/%/audio?format=mp3', send: raw(SECOND), status: 415 },
  { what: 'a rate out of bounds', path: '/stream/%/audio?sampleRate=7999', send: raw(SECOND), status: 415 },
  { what: 'too many channels', path: '/stream/%/audio?channels=9', send: raw(SECOND), status: 415 },
  {
    what: 'a torn sample',
    path: '/stream/%/audio',
    send: raw(SECOND.subarray(0, 4_001)),
    status: 422,
    code: 'torn-sample',
  },
  {
    what: 'no audio at all',
    path: '/stream/%/audio',
    send: raw(Buffer.alloc(0)),
    status: 422,
    code: 'empty-audio',
  },
  { what: 'WAV that is none', path: '/stream/%/audio', send: raw(SECOND, 'audio/wav'), status: 400 },
  {
    what: 'WAV in a codec that is not PCM',
    path: '/stream/%/audio',
    send: raw(Buffer.concat([wavHeader(4_000).fill(85, 20, 21), SECOND.subarray(0, 4_000)]), 'audio/wav'),
    status: 415,
  },
  {
    what: 'base64 that is none',
    path: '/stream/%/audio',
    send: json({ audioData: '*not base64*' }),
    status: 400,
  },
  { what: 'JSON without audio', path: '/stream/%/audio', send: json({ hello: 1 }), status: 400 },
  {
    what: 'a JSON chunk above 2 MB',
    path: '/stream/%/audio',
    send: json({ audioData: 'A'.repeat(3_000_000) }),
    status: 413,
    code: 'too-large',
  },
  {
    what: 'a sequence that is no number',
    path: '/stream/%/audio?sequence=-1',
    send: raw(SECOND),
    status: 400,
  },
  {
    what: 'the end of an unknown vibe',
    path: '/stream/%/end',
    send: json({}),
    status: 404,
    code: 'vibe-not-found',
  },
  {
    what: 'joining an unknown vibe',
    path: '/stream/%/join',
    send: json({}),
    status: 404,
    code: 'vibe-not-found',
  },
];

describe('a daemon that is sent nonsense', () => {
  const song = music(CONTROL_SECONDS, 72);
  let daemon: Daemon;
  let pid: number;
  let listener: FlvListener;
  let isOver = false;
  /** The innocent creator: resolves with all that it has sent when everything is over, or its song. */
  let control: Promise<Buffer>;

  async function play(): Promise<Buffer> {
    const target = daemon.target('control');
    let bytes = AHEAD_SECONDS * SECOND.length;
    await postRaw(target, song.subarray(0, bytes), { chunkMs: 500, leadMs: Infinity });
    for (; !isOver && bytes < song.length; bytes += SECOND.length)
      await postRaw(target, song.subarray(bytes, bytes + SECOND.length), { chunkMs: 20 });
    return song.subarray(0, bytes);
  }

  beforeAll(async () => {
    daemon = await Daemon.start();
    pid = daemon.pid;
    // An innocent vibe, whose listener must not notice any of it.
    await daemon.startVibe('control');
    listener = await FlvListener.connect(daemon.flvUrl('control'));
    control = play();
    control.catch(() => undefined);
    await listener.until('it plays', () => listener.frames.length > 0);
  });
  afterAll(async () => daemon?.stop());

  it.each(REFUSALS.map((row, index) => ({ ...row, index })))(
    'refuses $what with $status',
    async ({ path, send, status, code, index }) => {
      const url = `${daemon.apiUrl}${path.replace('/%/', `/bad-${index}/`)}`;
      const answer = await httpRequest(url, { method: 'POST', ...send });
      expect(answer.status).toBe(status);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      const problem = JSON.parse(answer.body.toString()) as Record<string, unknown>;
      expect(problem).toMatchObject({ status, ...(code ? { code } : {}) });
      for (const member of ['type', 'title', 'detail', 'instance', 'code', 'requestId', 'error'])
        expect(typeof problem[member]).toBe('string');
      expect(answer.body.toString()).not.toMatch(/node_modules|\.js:\d/);
      expect(await daemon.status(`bad-${index}`)).toBeUndefined();
    },
  );

  it('refuses another creator’s audio, and a change of format in mid-vibe', async () => {
    await daemon.startVibe('owned', 'alice');
    const post = async (query: string): Promise<number> =>
      (await httpRequest(`${daemon.apiUrl}/stream/owned/audio${query}`, { method: 'POST', ...raw(SECOND) }))
        .status;
    expect(await post('?creator=bob')).toBe(403);
    expect(await post('')).toBe(403);
    expect(await post('?creator=alice')).toBe(202);
    expect(await post('?creator=alice&sampleRate=44100')).toBe(409);
    const start = { method: 'POST', json: { creator: 'bob' } };
    expect((await jsonRequest(`${daemon.apiUrl}/stream/owned/start`, start)).status).toBe(409);
    await daemon.endVibe('owned', { creator: 'alice', drain: false });
  });

  it('pushes back with 429 and Retry-After where a chunk finds no room', async () => {
    const body = music(9, 73);
    const post = (): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }> =>
      httpRequest(`${daemon.apiUrl}/stream/flooded/audio`, { method: 'POST', ...raw(body) });
    let answer = await post();
    for (let sent = 1; answer.status === 202 && sent < 6; sent += 1) answer = await post();
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    const problem = JSON.parse(answer.body.toString()) as { bufferedMs: number };
    expect(problem.bufferedMs).toBeGreaterThan(20_000);
    expect(problem.bufferedMs).toBeLessThanOrEqual(30_000);
    await daemon.endVibe('flooded', { drain: false });
  });

  it.each([
    ['a torn sample', (creator: WebSocketCreator) => creator.send(Buffer.alloc(5)), 4400],
    ['text that is no JSON', (creator: WebSocketCreator) => creator.sendText('garbage'), 4400],
    [
      'a hello with an unknown format',
      (creator: WebSocketCreator) => creator.sendText(JSON.stringify({ type: 'hello', format: 'mp3' })),
      4415,
    ],
    ['a message above 2 MB', (creator: WebSocketCreator) => creator.send(Buffer.alloc(2_200_000)), 1009],
  ])('closes a WebSocket that sends %s', async (what, send, code) => {
    const creator = await WebSocketCreator.connect(daemon.target(`ws-${what.replace(/\W/g, '')}`));
    send(creator);
    expect((await creator.closed).code).toBe(code);
  });

  it('counts a body that breaks off, and plays what arrived whole', async () => {
    const request = http.request(`${daemon.apiUrl}/stream/torn/audio`, {
      method: 'POST',
      headers: { 'content-type': 'audio/pcm', 'content-length': SECOND.length },
    });
    request.on('error', () => undefined);
    await new Promise<void>((resolve) => request.write(SECOND.subarray(0, 96_000), () => resolve()));
    request.destroy();
    const truncated = await eventually('the missing half is counted', async () => {
      const bytes = (await daemon.metrics()).sumOrZero('vibesflow_ingest_truncated_bytes_total');
      return bytes > 0 && bytes;
    });
    expect(truncated).toBe(SECOND.length - 96_000);
    expect((await daemon.status('torn'))?.['state']).toMatch(/buffering|live/);
    await daemon.endVibe('torn', { drain: false });
  });

  it('carries on: the same process, and an innocent vibe that lost not a byte', async () => {
    isOver = true;
    const pcm = await control;
    await daemon.endVibe('control');
    expect(await listener.end()).toBe('end');
    expect(expectSameFrames(listener.aacFrames, await encodeOffline(pcm)).firstFrame).toBe(0);
    expect(daemon.isRunning && daemon.pid === pid).toBe(true);
    expect((await httpRequest(`${daemon.apiUrl}/ready`)).status).toBe(200);
    // Nothing that was refused has left a vibe or an FFmpeg behind.
    await eventually('all encoders are gone', () => daemon.encoders().length === 0);
  });
});
