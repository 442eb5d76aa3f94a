import { once } from 'node:events';
import WebSocket from 'ws';
import { longPost, webSocket, type Creator } from '../helpers/creators';
import { delay } from '../helpers/eventually';
import { arrivalGaps, FlvListener, timestampFault, type ListenerEnd } from '../helpers/flv-listener';
import { music } from '../helpers/music';
import { type NginxHouse, NGINX_NEEDS, openNginxHouse } from '../helpers/nginx-house';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { describeWith } from '../helpers/system-program';
import { trusted, webRequest } from '../helpers/web';

/**
 * Longer than every timeout that is five minutes or less where nobody says otherwise: Node's for a whole request
 * (300 s), nginx's between two reads (60 s), load balancers' for idle connections.
 */
const SECONDS = 370;
/** Other suites run beside this one, and may hold this process up for a moment. */
const LEAD_MS = 4_000;
/** The slow creator sends a second of audio, and then nothing for so long; the relay gives up after 60 s. */
const PAUSE_MS = 50_000;
const SLOW_CHUNKS = 1 + Math.floor((SECONDS * 1_000) / PAUSE_MS);
const BYTES_PER_SECOND = 192_000;
/** The daemon pings each WebSocket every ten seconds. */
const PINGS = Math.floor(SECONDS / 10) - 2;

/** Music for the whole time: a minute of it, again and again. */
function song(seed: number): Buffer {
  const minute = music(60, seed);
  const whole = Buffer.concat(Array.from({ length: Math.ceil(SECONDS / 60) }, () => minute));
  return whole.subarray(0, SECONDS * BYTES_PER_SECOND);
}

interface Delivery {
  readonly listener: FlvListener;
  readonly end: ListenerEnd;
  readonly pcm: Buffer;
}

async function deliver(
  { daemon, nginx }: NginxHouse,
  vibeId: string,
  send: Creator,
  pcm: Buffer,
): Promise<Delivery> {
  await daemon.startVibe(vibeId);
  const listener = await FlvListener.connect(nginx.flvUrl(vibeId));
  await send(nginx.target(vibeId), pcm, { chunkMs: 20, leadMs: LEAD_MS });
  await daemon.endVibe(vibeId);
  return { listener, end: await listener.end(), pcm };
}

/** One chunked POST with long pauses in it. Gives the answer. */
async function slowPost(
  { daemon, nginx }: NginxHouse,
  pcm: Buffer,
): Promise<{ status: number; accepted: unknown }> {
  await daemon.startVibe('slow');
  const request = webRequest(`${nginx.url}/stream/slow/audio`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'audio/pcm' },
  });
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (answer) => {
      void answer
        .toArray()
        .then((parts: Buffer[]) =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
        );
    });
  });
  answered.catch(() => undefined);
  for (let chunk = 0; chunk < SLOW_CHUNKS; chunk += 1) {
    if (chunk > 0) await Promise.race([delay(PAUSE_MS), answered]);
    request.write(pcm.subarray(chunk * BYTES_PER_SECOND, (chunk + 1) * BYTES_PER_SECOND));
  }
  request.end();
  const { status, text } = await answered;
  return { status, accepted: (JSON.parse(text) as { accepted?: unknown }).accepted };
}

/** A page that watches a vibe in which nothing happens. Counts the pings that keep its connection. */
async function watchQuietly({ daemon, nginx }: NginxHouse): Promise<{ pings: number; closeCode: number }> {
  await daemon.startVibe('quiet');
  const socket = new WebSocket(`${nginx.url.replace('http', 'ws')}/stream/quiet/events`, {
    perMessageDeflate: false,
    ...trusted(),
  });
  let pings = 0;
  socket.on('ping', () => (pings += 1));
  const closed = once(socket, 'close') as Promise<[number]>;
  await once(socket, 'open');
  await Promise.race([delay(SECONDS * 1_000), closed]);
  await daemon.endVibe('quiet', { drain: false });
  const [closeCode] = await closed;
  return { pings, closeCode };
}

describeWith(NGINX_NEEDS)(`more than six minutes through nginx`, () => {
  let house: NginxHouse;
  let deliveries: Map<string, Promise<Delivery>>;
  let slow: Promise<{ status: number; accepted: unknown }>;
  let quiet: Promise<{ pings: number; closeCode: number }>;

  beforeAll(async () => {
    // Made before anybody sends: it takes seconds, in which no creator of this process could.
    const songs = [song(61), song(62)] as const;
    house = await openNginxHouse({ HOLD_SECONDS: '600' });
    slow = slowPost(house, songs[0]);
    quiet = watchQuietly(house);
    deliveries = new Map([
      ['long-post', deliver(house, 'long-post', longPost({ contentType: 'audio/pcm' }), songs[0])],
      ['long-socket', deliver(house, 'long-socket', webSocket(), songs[1])],
    ]);
    for (const running of [slow, quiet, ...deliveries.values()]) running.catch(() => undefined);
  }, 120_000);
  afterAll(async () => {
    await Promise.allSettled([slow, quiet, ...(deliveries?.values() ?? [])]);
    await house?.daemon.endVibe('slow', { drain: false });
    await house?.close();
  }, 120_000);

  it.each([
    ['one chunked POST', 'long-post'],
    ['a WebSocket', 'long-socket'],
  ])(
    '%s at the pace of the music is heard byte for byte, on one connection',
    async (_what, vibeId) => {
      const { listener, end, pcm } = (await deliveries.get(vibeId)) as Delivery;
      expect(end).toBe('end');
      expect(timestampFault(listener.frames)).toBeUndefined();
      expect(expectSameFrames(listener.aacFrames, await encodeOffline(pcm)).firstFrame).toBe(0);
      const worst = Math.max(...arrivalGaps(listener.frames).map(({ gapMs }) => gapMs));
      console.info(`${vibeId}: ${listener.frames.length} frames, worst gap ${worst.toFixed(0)} ms`);
      expect(worst).toBeLessThan(2_000);
    },
    (SECONDS + 120) * 1_000,
  );

  it(
    'a slow POST that pauses for most of a minute again and again is taken to its end',
    async () => {
      expect(await slow).toEqual({ status: 202, accepted: SLOW_CHUNKS * BYTES_PER_SECOND });
    },
    (SECONDS + 120) * 1_000,
  );

  it(
    'somebody who watches a vibe in which nothing happens stays connected, by pings',
    async () => {
      const { pings, closeCode } = await quiet;
      expect(pings).toBeGreaterThanOrEqual(PINGS);
      expect(closeCode).toBe(1_000);
    },
    (SECONDS + 120) * 1_000,
  );
});
