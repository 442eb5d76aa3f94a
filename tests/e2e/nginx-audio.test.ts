import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DOORS, longPost, postPcm, wavHeader, type Creator } from '../helpers/creators';
import { delay, eventually } from '../helpers/eventually';
import { FlvListener, timestampFault } from '../helpers/flv-listener';
import { HlsListener } from '../helpers/hls-listener';
import { httpRequest } from '../helpers/http-request';
import { music } from '../helpers/music';
import { type NginxHouse, NGINX_NEEDS, openNginxHouse } from '../helpers/nginx-house';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { paced, type Pacing } from '../helpers/pacing';
import { runProgram } from '../helpers/run-program';
import { describeWith } from '../helpers/system-program';
import { webAgent } from '../helpers/web';
import { WebSocketCreator } from '../helpers/websocket-creator';

const SECONDS = 12;
const SONG_SECONDS = 9;
/** FFmpegs that start in the same instant are another test. */
const STAGGER_MS = 150;
const NAMES = [
  'short-posts-500ms',
  'short-posts-2s-numbered',
  'long-chunked-post',
  'long-wav-post',
  'base64-json-500ms',
  'lyria-messages-2s',
  'websocket-20ms',
];
const CHOSEN = DOORS.filter(({ name }) => NAMES.includes(name));
const CURL_WAYS: readonly [what: string, version: string, curlArgs: string][] = [
  ['HTTP/2, with a length', '2', '--http2 -T song.wav'],
  ['HTTP/2, without one', '2', '--http2 -T -'],
  ['HTTP/1.1, chunked', '1.1', '--http1.1 -T -'],
  ['HTTP/1.1, asking first (Expect)', '1.1', "--http1.1 -T song.wav -H 'Expect: 100-continue'"],
];
/** Creators are this far ahead, so that a busy test machine delays no chunk beyond its turn. */
const LEAD_MS = 1_500;

/**
 * Numbered JSON chunks, each sent again where its connection is lost: nginx closes idle ones when it reloads, and a
 * client may write into one at that very moment.
 */
const persistent: Creator = async ({ apiUrl, vibeId }, pcm, pacing) => {
  const agent = webAgent(apiUrl, { keepAlive: true, maxSockets: 1 });
  try {
    return await paced(pcm, pacing, async (chunk, sequence) => {
      const body = JSON.stringify({
        audioData: chunk.toString('base64'),
        sampleRate: 48_000,
        channels: 2,
        sequence,
      });
      const headers = { 'content-type': 'application/json' };
      await eventually(`chunk ${sequence} is taken`, async () => {
        const { status } = await httpRequest(`${apiUrl}/stream/${vibeId}/audio`, {
          method: 'POST',
          headers,
          body,
          agent,
        });
        return status === 202;
      });
    });
  } finally {
    agent.destroy();
  }
};

/** One creator from start to end, with a listener of each kind, all of it through nginx. */
async function play(
  { daemon, nginx }: NginxHouse,
  vibeId: string,
  send: Creator,
  pacing: Pacing,
  pcm: Buffer,
): Promise<void> {
  await daemon.startVibe(vibeId);
  const flv = await FlvListener.connect(nginx.flvUrl(vibeId));
  const hls = new HlsListener(nginx.hlsUrl(vibeId));
  await send(nginx.target(vibeId), pcm, pacing);
  await daemon.endVibe(vibeId);
  expect(await flv.end()).toBe('end');
  await hls.done;
  const reference = await encodeOffline(pcm);
  expect(expectSameFrames(flv.aacFrames, reference).firstFrame).toBe(0);
  expect(expectSameFrames(await hls.frames(), reference).firstFrame).toBe(0);
  expect(timestampFault(flv.frames)).toBeUndefined();
  expect(flv.headerFlags).toBe(4);
  expect(flv.headers).toMatchObject({ 'content-type': 'video/x-flv', 'cache-control': 'no-store' });
  expect(flv.headers['content-encoding']).toBeUndefined();
}

interface Upload {
  readonly listener: FlvListener;
  /** By curl: the answer, and how it came to it. */
  readonly said: string;
  readonly verbose: string;
}

async function upload({ daemon, nginx }: NginxHouse, vibeId: string, args: string): Promise<Upload> {
  await daemon.startVibe(vibeId);
  const listener = await FlvListener.connect(nginx.flvUrl(vibeId));
  const common = `-sS -v -X POST --cacert ${nginx.caFile} -H 'Content-Type: audio/wav' -w '\\n%{http_code} %{http_version}'`;
  const command = `cat song.wav | curl ${common} ${args} ${nginx.url}/stream/${vibeId}/audio`;
  const { stdout, stderr } = await runProgram('sh', ['-c', command], {
    cwd: nginx.home,
    withinMs: 60_000,
  });
  await daemon.endVibe(vibeId);
  await listener.end();
  return { listener, said: stdout.toString(), verbose: stderr };
}

describeWith(NGINX_NEEDS)('audio through nginx', () => {
  let house: NginxHouse;
  let url: string;
  /** All begin at once, one shortly after the other, and each test waits for its own. */
  const runs = new Map<string, Promise<void>>();
  const uploads = new Map<string, Promise<Upload>>();
  let song: Buffer[];
  beforeAll(async () => {
    // Made before anybody sends: it takes a moment, in which no creator of this process could.
    const songs = CHOSEN.map((_door, index) => music(SECONDS, 300 + index));
    const pcm = music(SONG_SECONDS, 77);
    song = await encodeOffline(pcm);
    house = await openNginxHouse({ MAX_BUFFER_SECONDS: '6' });
    url = house.nginx.url;
    writeFileSync(path.join(house.nginx.home, 'song.wav'), Buffer.concat([wavHeader(pcm.length), pcm]));
    for (const [index, { name, chunkMs, send }] of CHOSEN.entries()) {
      const pacing = { chunkMs, leadMs: LEAD_MS };
      const run = delay(index * STAGGER_MS).then(() =>
        play(house, `byte-${name}`, send, pacing, songs[index] as Buffer),
      );
      run.catch(() => undefined);
      runs.set(name, run);
    }
    for (const [index, [what, , args]] of CURL_WAYS.entries()) {
      const run = delay((CHOSEN.length + index) * STAGGER_MS).then(() =>
        upload(house, `curl-${index}`, args),
      );
      run.catch(() => undefined);
      uploads.set(what, run);
    }
  }, 60_000);
  afterAll(async () => {
    await Promise.allSettled([...runs.values(), ...uploads.values()]);
    await house?.close();
  }, 60_000);

  /** curl with the test's authority. */
  async function curl(
    ...args: string[]
  ): Promise<{ status: number; version: string; said: string; verbose: string }> {
    const result = await runProgram('curl', [
      ...['-sS', '-v', '--max-time', '40', '--cacert', house.nginx.caFile],
      ...['-w', '\\n%{http_code} %{http_version}', ...args],
    ]);
    const lines = result.stdout.toString().split('\n');
    const [status = '', version = ''] = (lines.pop() ?? '').split(' ');
    return { status: Number(status), version, said: lines.join('\n'), verbose: result.stderr };
  }

  it.each(NAMES)(
    'arrives byte for byte, on HTTP-FLV and on HLS, from %s',
    async (name) => {
      await (runs.get(name) as Promise<void>);
    },
    60_000,
  );

  describe('from curl', () => {
    it.each(CURL_WAYS)(
      'a whole song by %s, longer than the relay’s buffer',
      async (what, version, args) => {
        const { listener, said, verbose } = await (uploads.get(what) as Promise<Upload>);
        expect(said.split('\n').at(-1)).toBe(`202 ${version}`);
        if (args.includes('Expect')) expect(verbose).toContain('HTTP/1.1 100 Continue');
        expect(expectSameFrames(listener.aacFrames, song).firstFrame).toBe(0);
      },
      90_000,
    );

    it('is refused in its own words: a JSON chunk that is too large, a format that is none', async () => {
      const large = path.join(house.nginx.home, 'large.json');
      writeFileSync(large, JSON.stringify({ audioData: 'A'.repeat(3_000_000) }));
      const json = await curl(
        '-H',
        'Content-Type: application/json',
        '--data-binary',
        `@${large}`,
        `${url}/stream/big/audio`,
      );
      expect([json.status, JSON.parse(json.said).code]).toEqual([413, 'too-large']);
      const text = await curl('-H', 'Content-Type: text/html', '-d', 'hello', `${url}/stream/big/audio`);
      expect([text.status, JSON.parse(text.said).code]).toEqual([415, 'unsupported-format']);
    });
  });

  it('is pushed back as without nginx: 429 with Retry-After and bufferedMs, nothing lost', async () => {
    await house.daemon.startVibe('full');
    const chunk = music(1, 5);
    let refusal;
    let taken = 0;
    for (; taken < 30 && !refusal; taken += 1) {
      const answer = await httpRequest(`${url}/stream/full/audio`, {
        method: 'POST',
        headers: { 'content-type': 'audio/pcm' },
        body: chunk,
      });
      if (answer.status !== 202) refusal = answer;
    }
    expect(refusal?.status).toBe(429);
    expect(Number(refusal?.headers['retry-after'])).toBeGreaterThan(0);
    expect(JSON.parse(String(refusal?.body))).toMatchObject({
      code: 'buffer-full',
      bufferedMs: expect.any(Number),
    });
    await house.daemon.endVibe('full', { drain: false });
  });

  it('over a WebSocket is acknowledged, and closed with the daemon’s own code', async () => {
    const creator = await WebSocketCreator.connect(house.nginx.target('socket'));
    await creator.message('ready');
    creator.send(music(0.5, 8));
    expect(await creator.message('ack')).toMatchObject({ accepted: 96_000 });
    creator.sendText('{"type":"nonsense"');
    expect((await creator.closed).code).toBe(4400);
    await house.daemon.endVibe('socket', { drain: false });
  });

  it('passes a reload of nginx in mid-stream: uploads, sockets and listeners stay', async () => {
    const seconds = 10;
    const pcm = [music(seconds, 21), music(seconds, 22)] as const;
    const senders = {
      'reload-post': longPost({ contentType: 'audio/pcm' }),
      'reload-chunks': persistent,
    } as const;
    const names = Object.keys(senders) as (keyof typeof senders)[];
    const listeners = await Promise.all(
      names.map(async (name) => {
        await house.daemon.startVibe(name);
        return FlvListener.connect(house.nginx.flvUrl(name));
      }),
    );
    const sent = names.map((name, index) =>
      senders[name](house.nginx.target(name), pcm[index] as Buffer, {
        chunkMs: index === 0 ? 20 : 500,
        leadMs: LEAD_MS,
      }),
    );
    const socket = await WebSocketCreator.connect(house.nginx.target('reload-socket'));
    await socket.message('ready');
    await Promise.all(
      listeners.map((listener) => listener.until('it plays', () => listener.frames.length > 50)),
    );
    const before = house.nginx.workers();
    for (let times = 0; times < 3; times += 1) await house.nginx.reload();
    // Each ends as soon as its audio is in: what the vibe would say afterwards is silence.
    await Promise.all(
      sent.map((sending, index) => sending.then(() => house.daemon.endVibe(names[index] as string))),
    );
    socket.send(music(0.2, 9));
    await socket.message('ack');
    await socket.close();
    for (const index of names.keys()) {
      const listener = listeners[index] as FlvListener;
      expect(await listener.end()).toBe('end');
      const reference = await encodeOffline(pcm[index] as Buffer);
      expect(expectSameFrames(listener.aacFrames, reference).firstFrame).toBe(0);
    }
    await house.daemon.endVibe('reload-socket', { drain: false });
    await eventually('the old workers have ended with their last connection', () => {
      const now = new Set(house.nginx.workers());
      return !before.some((pid) => now.has(pid));
    });
  }, 60_000);

  it('ends for a listener in order when its vibe ends, and the daemon counts listeners rightly', async () => {
    await house.daemon.startVibe('counted');
    await postPcm(house.nginx.target('counted'), music(1, 4), { chunkMs: 500, leadMs: Infinity });
    const [stays, leaves] = [
      await FlvListener.connect(house.nginx.flvUrl('counted')),
      await FlvListener.connect(house.nginx.flvUrl('counted')),
    ];
    const count = async (): Promise<unknown> => (await house.daemon.status('counted'))?.['listeners'];
    await eventually('both are counted', async () => (await count()) === 2);
    leaves.leave();
    await eventually('one has left', async () => (await count()) === 1);
    await house.daemon.endVibe('counted', { drain: false });
    expect(await stays.end()).toBe('end');
  });
});
