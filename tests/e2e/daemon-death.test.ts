import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { Fader } from '../../src/audio/fade';
import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { WebSocketSender } from '../../src/cli/websocket-sender';
import { Canary } from '../helpers/canary';
import { Daemon } from '../helpers/daemon';
import { delay, eventually } from '../helpers/eventually';
import { FlvListener } from '../helpers/flv-listener';
import { httpRequest, jsonRequest } from '../helpers/http-request';
import { describeWithEach } from '../helpers/media-servers';
import { music } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { chunks, paced } from '../helpers/pacing';
import { isAlive } from '../helpers/processes';
import { findSystemProgram } from '../helpers/system-program';
import { WebSocketCreator } from '../helpers/websocket-creator';

const CHUNK_MS = 20;
const CHUNK_BYTES = CHUNK_MS * 192;
const FRAME_SAMPLES = 1024;
/** Creators are this far ahead: a busy test machine makes no silence of its own. */
const LEAD_MS = 1_000;
/** What FFmpeg's AAC encoder holds, and the frame that it fills up where its input ends. */
const LAST_FRAMES = 3;
/** What FFmpeg had been given and a listener had not heard, with the chunk that was under way. */
const IN_FFMPEG_MS = 200;
/** A frame of silence has some twenty bytes, one of music some hundreds. */
const SOUND_BYTES = 100;
/** What was played since the daemon last looked how far it is, and wrote it down. */
const LOOK_MS = 40;
/** The target; a machine on which two starts of a program take longer is no judge of it. */
const BACK_WITHIN_MS = 5_000;

let canary: Canary;
beforeAll(async () => {
  canary = await Canary.start();
});
afterAll(async () => canary?.stop());

/** A chunk's number, and what became of it. */
interface Answer {
  readonly sequence: number;
  readonly isDuplicate: boolean;
  /** Whether it had to be sent again. */
  readonly again: boolean;
}

/** One numbered POST a chunk, sent again under its number until there is an answer. */
async function numberedPosts(daemon: Daemon, vibeId: string, pcm: Buffer): Promise<Answer[]> {
  const answers: Answer[] = [];
  await paced(pcm, { chunkMs: CHUNK_MS, leadMs: LEAD_MS }, async (body, sequence) => {
    const url = `${daemon.apiUrl}/stream/${vibeId}/audio?creator=ann&sequence=${sequence}`;
    for (let again = false; ; again = true) {
      const answer = await httpRequest(url, { method: 'POST', body }).catch(() => undefined);
      if (!answer) {
        await delay(50);
        continue;
      }
      if (answer.status !== 202)
        throw new Error(`chunk ${sequence}: ${answer.status} ${answer.body.toString()}`);
      const { duplicate = false } = JSON.parse(answer.body.toString()) as { duplicate?: boolean };
      answers.push({ sequence, isDuplicate: duplicate, again });
      return;
    }
  });
  return answers;
}

/** Kills the daemon where it stands, and starts it again at once. */
async function killAndRespawn(
  daemon: Daemon,
): Promise<{ next: Daemon; killedAtMs: number; family: ReturnType<Daemon['processes']> }> {
  const family = daemon.processes();
  const killedAtMs = performance.now();
  daemon.signal('SIGKILL');
  return { next: await daemon.respawn(), killedAtMs, family };
}

/** A listener who connects as soon as there is somebody to connect to. */
async function listenAgain(daemon: Daemon, vibeId: string): Promise<FlvListener> {
  return eventually('the media server is back', () => FlvListener.connect(daemon.flvUrl(vibeId)));
}

/** The last sample of the creator's that a listener has heard, where nothing was missing before. */
function heardUntil(listener: FlvListener): number {
  // The first frame only primes the decoder.
  return (listener.frames.length - 1) * FRAME_SAMPLES;
}

/**
 * Checks that what is heard after a death is silence, and then the creator's audio from `resumedAt` on, byte for byte what
 * FFmpeg makes of it.
 */
async function expectAudioFrom(
  listener: FlvListener,
  pcm: Buffer,
  silentSamples: number,
  resumedAt: number,
  tailFrames = 0,
): Promise<void> {
  const rest = pcm.subarray(resumedAt * CHUNK_BYTES);
  const fadeIn = new Fader(DEFAULT_FORMAT, FRAME_SAMPLES).into(rest.subarray(0, CHUNK_BYTES));
  const silence = Buffer.alloc((silentSamples - FRAME_SAMPLES) * 4);
  const reference = await encodeOffline(Buffer.concat([silence, fadeIn, rest]));
  const isSound = (frame: Buffer): boolean => frame.length > SOUND_BYTES;
  const heard = listener.aacFrames;
  const sound = heard.slice(heard.findIndex(isSound));
  expect(expectSameFrames(sound, reference, tailFrames).firstFrame).toBe(reference.findIndex(isSound));
}

describe('a daemon killed with SIGKILL while a creator posts numbered chunks', () => {
  const pcm = music(12, 81);
  let daemon: Daemon;
  let answers: Answer[];
  let before: FlvListener;
  let after: FlvListener;
  let startedAt: unknown;
  let killedAtMs: number;
  let silentSamples: number;
  let family: ReturnType<Daemon['processes']>;
  let readyMs: number;

  beforeAll(async () => {
    daemon = await Daemon.start();
    ({ startedAt } = (await daemon.startVibe('posted', 'ann'), (await daemon.status('posted'))!));
    before = await FlvListener.connect(daemon.flvUrl('posted'));
    const sending = numberedPosts(daemon, 'posted', pcm);
    await before.until('4 s of sound', () => before.frames.length > 188);
    ({ next: daemon, killedAtMs, family } = await killAndRespawn(daemon));
    readyMs = performance.now() - killedAtMs;
    after = await listenAgain(daemon, 'posted');
    await after.until('sound', () => after.aacFrames.some((frame) => frame.length > SOUND_BYTES));
    silentSamples = (await daemon.metrics()).sum('vibesflow_samples_silence_total');
    answers = await sending;
    await daemon.endVibe('posted');
    await after.end();
    await canary.look();
  });
  afterAll(async () => daemon?.stop());

  it('is heard again within 5 s', () => {
    const atMs = after.frames.find(({ aac }) => aac.length > SOUND_BYTES)?.atMs ?? NaN;
    console.info(
      `sound ${(atMs - killedAtMs).toFixed(0)} ms after the kill; the daemon was ready after ${readyMs.toFixed(0)} ms; ${canary.summary}`,
    );
    expect(canary.netMs(killedAtMs, atMs)).toBeLessThan(Math.max(BACK_WITHIN_MS, 3 * readyMs));
  });

  it('has the same vibe, without anybody starting it', async () => {
    expect((await daemon.status('posted'))!['startedAt']).toBe(startedAt);
    const metrics = await daemon.metrics();
    expect(metrics.sum('vibesflow_vibes_restored_total')).toBe(1);
    expect(daemon.output).toContain('the relay was killed: its vibes go on');
  });

  it('takes the chunk that had no answer once, and asks for none that had', () => {
    expect(answers.map(({ sequence }) => sequence)).toEqual(
      chunks(pcm, { chunkMs: CHUNK_MS }).map((_, n) => n),
    );
    const again = answers.filter((answer) => answer.again);
    // One POST at a time was under way.
    expect(again).toHaveLength(1);
    expect(answers.filter(({ isDuplicate }) => isDuplicate)).toEqual([]);
  });

  it('goes on with that chunk, byte for byte, and with nothing that was heard before', async () => {
    const resumedAt = answers.find(({ again }) => again)!.sequence;
    expect(resumedAt * CHUNK_MS * 48).toBeGreaterThanOrEqual(heardUntil(before));
    expect(expectSameHead(before, await encodeOffline(pcm))).toBeGreaterThan(180);
    await expectAudioFrom(after, pcm, silentSamples, resumedAt);
  });

  it('left no process behind', () => {
    expect(family.length).toBeGreaterThan(1);
    expect(family.filter(isAlive)).toEqual([]);
  });
});

describeWithEach('a daemon killed with SIGKILL while a creator sends by WebSocket', (media) => {
  const pcm = music(12, 82);
  let daemon: Daemon;
  let before: FlvListener;
  let after: FlvListener;
  let acknowledged: number;
  let resumedAt: number;
  let silentSamples: number;

  beforeAll(async () => {
    daemon = await media.start();
    await daemon.startVibe('socket', 'ann');
    before = await daemon.listen('socket');
    const hello = { creator: 'ann', format: 's16le', sampleRate: 48_000, channels: 2 };
    const first = await WebSocketCreator.connect(daemon.target('socket'), { hello });
    await first.message('ready');
    const firstPart = paced(pcm, { chunkMs: CHUNK_MS, leadMs: LEAD_MS }, (chunk) => first.send(chunk));
    await before.until('4 s of sound', () => before.frames.length > 188);
    daemon.signal('SIGKILL');
    await first.closed;
    acknowledged = first.lastAck?.['sequence'] as number;
    daemon = await daemon.respawn();
    after = await (media.kind === 'srs'
      ? FlvListener.join(daemon.flvUrl('socket'))
      : listenAgain(daemon, 'socket'));
    const second = await WebSocketCreator.connect(daemon.target('socket'), {
      query: '?creator=ann&rate=48000',
    });
    resumedAt = (await second.message('ready'))['sequence'] as number;
    const rest = pcm.subarray(resumedAt * CHUNK_BYTES);
    const sending = paced(rest, { chunkMs: CHUNK_MS, leadMs: LEAD_MS }, (chunk) => second.send(chunk));
    await after.until('sound', () => after.aacFrames.some((frame) => frame.length > SOUND_BYTES));
    silentSamples = (await daemon.metrics()).sum('vibesflow_samples_silence_total');
    await Promise.all([firstPart, sending]);
    await second.close();
    await daemon.endVibe('socket');
    await after.end();
  });
  afterAll(async () => daemon?.stop());

  it('says how many chunks were played: what it held is none of them', () => {
    const heardMs = heardUntil(before) / 48;
    console.info(
      `heard before: ${heardMs.toFixed(0)} ms; goes on at ${resumedAt * CHUNK_MS} ms; acknowledged were ${acknowledged * CHUNK_MS} ms`,
    );
    // Not twice, but for what was played since the daemon last looked.
    expect(resumedAt * CHUNK_MS).toBeGreaterThan(heardMs - LOOK_MS - CHUNK_MS);
    // Neither lost, but for what FFmpeg held and the pipe before it.
    expect(resumedAt).toBeLessThan(acknowledged);
  });

  it('goes on there, byte for byte', async () => {
    await expectAudioFrom(after, pcm, silentSamples, resumedAt, media.tailFrames);
  });
});

describe('a daemon killed with SIGKILL while `vibesflow publish` sends', () => {
  it('gets again what it took along, so that nothing is missing but what FFmpeg held', async () => {
    const pcm = music(10, 84);
    let daemon = await Daemon.start();
    let sender: WebSocketSender | undefined;
    try {
      await daemon.startVibe('published', 'ann');
      const before = await FlvListener.connect(daemon.flvUrl('published'));
      const url = `${daemon.apiUrl.replace('http', 'ws')}/stream/published/audio?creator=ann`;
      const publisher = (sender = new WebSocketSender({ url, creator: 'ann' }));
      const sendAll = async (): Promise<void> => {
        for (const chunk of chunks(pcm, { chunkMs: CHUNK_MS })) await publisher.send(chunk);
        await publisher.finish();
      };
      const sending = sendAll();
      await before.until('4 s of sound', () => before.frames.length > 188);
      const heldMs = (await daemon.status('published'))?.['bufferedMs'] as number;
      daemon.signal('SIGKILL');
      daemon = await daemon.respawn();
      const after = await listenAgain(daemon, 'published');
      await after.until('sound', () => after.aacFrames.some((frame) => frame.length > SOUND_BYTES));
      const silentSamples = (await daemon.metrics()).sum('vibesflow_samples_silence_total');
      await sending;
      const accepted = (await daemon.metrics()).sum('vibesflow_samples_accepted_total');
      const resumedAt = (pcm.length / 4 - accepted) / (CHUNK_MS * 48);
      await daemon.endVibe('published');
      await after.end();

      const lostMs = resumedAt * CHUNK_MS - heardUntil(before) / 48;
      console.info(
        `${lostMs.toFixed(0)} ms were not heard; ${heldMs} ms were held when the daemon was killed`,
      );
      // Something was at stake, more than what may be lost.
      expect(heldMs).toBeGreaterThan(2 * IN_FFMPEG_MS);
      expect(lostMs).toBeGreaterThan(-LOOK_MS - CHUNK_MS);
      expect(lostMs).toBeLessThan(IN_FFMPEG_MS + canary.worstStallMs(0, performance.now()));
      await expectAudioFrom(after, pcm, silentSamples, resumedAt);
    } finally {
      sender?.close();
      await daemon.stop();
    }
  });
});

describe('a daemon killed twice in a row, its journal torn the second time', () => {
  let daemon: Daemon;
  let ownerKey: string;
  beforeAll(async () => {
    daemon = await Daemon.start({ HOLD_SECONDS: '60' });
    const start = { method: 'POST', json: { creator: 'ann', title: 'Dawn', claim: true } };
    ({ ownerKey } = (await jsonRequest(`${daemon.apiUrl}/stream/twice/start`, start)).json as {
      ownerKey: string;
    });
    await join('p1');
    const headers = { authorization: `Bearer ${ownerKey}`, 'content-type': 'audio/pcm' };
    await httpRequest(`${daemon.apiUrl}/stream/twice/audio?sequence=7`, {
      method: 'POST',
      headers,
      body: music(1, 83),
    });
    await eventually('it is played', async () => (await daemon.status('twice'))?.['state'] === 'holding');
    ({ next: daemon } = await killAndRespawn(daemon));
    // What is torn is the end: something that came after the snapshot.
    await eventually('a sign of life', () => readFileSync(journal(), 'utf8').split('"played"').length > 2);
    daemon.signal('SIGKILL');
    await daemon.ended;
    truncateSync(journal(), statSync(journal()).size - 3);
    daemon = await daemon.respawn();
  });
  afterAll(async () => daemon?.stop());

  async function join(participantId: string): Promise<number> {
    const url = `${daemon.apiUrl}/stream/twice/join`;
    const { json } = await jsonRequest(url, { method: 'POST', json: { participantId } });
    return json['participantCount'] as number;
  }

  function journal(): string {
    const name = readdirSync(daemon.dataDir).find((file) => file.endsWith('.journal')) as string;
    return path.join(daemon.dataDir, name);
  }

  it('holds the vibe, with its title and its participants', async () => {
    expect(await daemon.status('twice')).toMatchObject({
      ...{ state: 'holding', isStreaming: true, creator: 'ann', title: 'Dawn', claimed: true, sequence: 7 },
      participantCount: 1,
    });
    expect(await join('p1')).toBe(1);
  });

  it('knows its owner by the key alone', async () => {
    const other = { method: 'POST', json: { creator: 'bob' } };
    expect((await jsonRequest(`${daemon.apiUrl}/stream/twice/start`, other)).status).toBe(409);
    const post = async (headers: Record<string, string>) => {
      const url = `${daemon.apiUrl}/stream/twice/audio?sequence=7`;
      return httpRequest(url, { method: 'POST', headers, body: music(1, 83) });
    };
    expect((await post({ 'x-creator': 'ann' })).status).toBe(401);
    expect((await post({ authorization: `Bearer ${ownerKey}x` })).status).toBe(403);
    const again = await post({ authorization: `Bearer ${ownerKey}` });
    expect(again.status).toBe(202);
    expect(JSON.parse(again.body.toString())).toMatchObject({ accepted: 0, duplicate: true });
  });

  it('says what became of the journal, and has no secret in it', async () => {
    const metrics = await daemon.metrics();
    expect(metrics.sum('vibesflow_journal_damaged_lines_total')).toBe(1);
    expect(metrics.sum('vibesflow_vibes_restored_total')).toBe(1);
    expect(daemon.output).toContain('the journal is torn: damaged lines left out');
    expect(readFileSync(journal(), 'utf8')).not.toContain(ownerKey);
  });
});

describe('a daemon killed with SIGKILL, whose successor cannot start', () => {
  it('is remembered by the one that can', async () => {
    let daemon = await Daemon.start();
    const blocker = createServer((socket) => socket.destroy());
    try {
      await daemon.startVibe('patient', 'ann');
      const { startedAt } = (await daemon.status('patient'))!;
      daemon.signal('SIGKILL');
      await daemon.ended;
      await new Promise<void>((resolve) =>
        blocker.listen(Number(new URL(daemon.apiUrl).port), '127.0.0.1', resolve),
      );
      await expect(daemon.respawn()).rejects.toThrow('another program does; choose another PORT');
      await new Promise((resolve) => blocker.close(resolve));
      daemon = await daemon.respawn();
      expect(await daemon.status('patient')).toMatchObject({ startedAt, creator: 'ann', state: 'starting' });
    } finally {
      blocker.close();
      await daemon.stop();
    }
  });
});

describe('a daemon killed with SIGKILL on a machine without setpriv', () => {
  it('finds the FFmpeg that stayed, and ends it', async () => {
    const programs = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-path-'));
    const ffmpeg = findSystemProgram('ffmpeg');
    if (ffmpeg) symlinkSync(ffmpeg, path.join(programs, 'ffmpeg'));
    let daemon = await Daemon.start({ PATH: programs });
    try {
      await daemon.startVibe('stuck', 'ann');
      const [stuck] = await eventually('an FFmpeg runs', () => {
        const found = daemon.encoders('stuck');
        return found.length === 1 && found;
      });
      process.kill(stuck!.pid, 'SIGSTOP');
      daemon.signal('SIGKILL');
      await daemon.ended;
      // The fault has bitten: it would stay for ever.
      expect(isAlive(stuck!)).toBe(true);
      daemon = await daemon.respawn();
      await eventually('it is gone', () => !isAlive(stuck!), { withinMs: 1_000 });
      expect((await daemon.metrics()).sum('vibesflow_stale_encoders_total')).toBe(1);
      expect(daemon.output).toContain('an FFmpeg of a daemon that died was still there: ended');
      expect((await daemon.status('stuck'))?.['state']).toBe('starting');
    } finally {
      await daemon.stop();
      rmSync(programs, { recursive: true });
    }
  });
});

describe('a daemon killed with SIGKILL whose media server hangs', () => {
  it('has a successor that ends it, and gets its ports', async () => {
    let daemon = await Daemon.start();
    try {
      await daemon.startVibe('hung', 'ann');
      const hung = daemon.mediaServerProcess()!;
      process.kill(hung.pid, 'SIGSTOP');
      daemon.signal('SIGKILL');
      await daemon.ended;
      // The fault has bitten: it would stay for ever, and keep both ports.
      expect(isAlive(hung)).toBe(true);
      daemon = await daemon.respawn();
      expect(isAlive(hung)).toBe(false);
      expect(daemon.output).toContain(
        'the media server process of a daemon that died was still there: ended',
      );
      const listener = await FlvListener.connect(daemon.flvUrl('hung'));
      await daemon.endVibe('hung');
      await listener.end();
    } finally {
      await daemon.stop();
    }
  });
});

/**
 * How many frames, from the first one on, are those of the reference. FFmpeg sees the end of its input just before its
 * own: of the last frames it may have made something else than of those in mid-stream.
 */
function expectSameHead(listener: FlvListener, reference: readonly Buffer[]): number {
  const heard = listener.aacFrames;
  const different = heard.findIndex((frame, n) => !reference[n]?.equals(frame));
  if (different >= 0) expect(different).toBeGreaterThanOrEqual(heard.length - LAST_FRAMES);
  return heard.length;
}
