import { httpRequest } from '../helpers/http-request';
import type { Daemon } from '../helpers/daemon';
import type { FlvListener } from '../helpers/flv-listener';
import { describeWithEach } from '../helpers/media-servers';
import { music, seededRandom } from '../helpers/music';
import { encodeOffline, expectSameFrames } from '../helpers/offline-encode';
import { chunks, paced } from '../helpers/pacing';
import { WebSocketCreator } from '../helpers/websocket-creator';

describeWithEach('audio that takes detours', (media) => {
  /** Made before anybody sends: it takes a moment, in which no creator of this process could. */
  const songs = { takeover: music(12, 31), shuffled: music(12, 32) };
  let daemon: Daemon;
  /** Both at the same time: what a listener of each heard, to the end. */
  let heard: Readonly<Record<keyof typeof songs, Promise<FlvListener>>>;
  beforeAll(async () => {
    // Held so long before it begins: a busy test machine delays no chunk beyond its turn.
    daemon = await media.start({ PREBUFFER_MS: '3000' });
    heard = { takeover: playTakeover(songs.takeover), shuffled: playShuffled(songs.shuffled) };
    for (const run of Object.values(heard)) run.catch(() => undefined);
  });
  afterAll(async () => {
    await Promise.allSettled(Object.values(heard));
    await daemon?.stop();
  });

  it.each([
    ['without a break when a creator’s newer connection takes over from the older one', 'takeover'],
    ['once and in order when numbered chunks arrive shuffled and twice', 'shuffled'],
  ] as const)('is played %s', async (_how, vibeId) => {
    await Promise.allSettled(Object.values(heard));
    const { aacFrames } = await heard[vibeId];
    const reference = await encodeOffline(songs[vibeId]);
    expect(expectSameFrames(aacFrames, reference, media.tailFrames).firstFrame).toBe(0);
    expect((await daemon.metrics()).sum('vibesflow_takeovers_total')).toBe(1);
  });

  async function playTakeover(pcm: Buffer): Promise<FlvListener> {
    const [first, second] = [pcm.subarray(0, 6 * 192_000), pcm.subarray(6 * 192_000)];
    await daemon.startVibe('takeover', 'alice');
    const listener = await daemon.listen('takeover');
    const hello = { creator: 'alice', format: 's16le', sampleRate: 48_000, channels: 2 };

    const older = await WebSocketCreator.connect(daemon.target('takeover'), { hello });
    await older.message('ready');
    await paced(first, { chunkMs: 20, leadMs: 500 }, (chunk) => older.send(chunk));
    const newer = await WebSocketCreator.connect(daemon.target('takeover'), { hello });
    await newer.message('ready');
    expect((await older.closed).code).toBe(4409);
    await paced(second, { chunkMs: 20 }, (chunk) => newer.send(chunk));
    await newer.close();

    await daemon.endVibe('takeover', { creator: 'alice' });
    expect(await listener.end()).toBe(media.flvEnd);
    return listener;
  }

  async function playShuffled(pcm: Buffer): Promise<FlvListener> {
    const cut = chunks(pcm, { chunkMs: 250 });
    const random = seededRandom(33);
    await daemon.startVibe('shuffled');
    const listener = await daemon.listen('shuffled');
    const post = async (sequence: number): Promise<void> => {
      const answer = await httpRequest(`${daemon.apiUrl}/stream/shuffled/audio?sequence=${sequence}`, {
        method: 'POST',
        headers: { 'content-type': 'audio/pcm' },
        body: cut[sequence],
      });
      if (answer.status !== 202) throw new Error(`${sequence}: ${answer.status} ${answer.body.toString()}`);
    };

    await post(0);
    // Blocks of four, each in any order, every third chunk twice; a block is complete long before its turn.
    const blocks = Array.from({ length: Math.ceil((cut.length - 1) / 4) }, (_, block) =>
      [1, 2, 3, 4].map((index) => block * 4 + index).filter((sequence) => sequence < cut.length),
    );
    const turns = Buffer.alloc(blocks.length * 192_000);
    await paced(turns, { chunkMs: 1_000, leadMs: 1_500 }, async (_turn, index) => {
      const block = blocks[index] ?? [];
      const order = block
        .flatMap((sequence) => (sequence % 3 === 0 ? [sequence, sequence] : [sequence]))
        .map((sequence) => ({ sequence, key: random() }))
        .sort((a, b) => a.key - b.key);
      for (const { sequence } of order) await post(sequence);
    });

    await daemon.endVibe('shuffled');
    expect(await listener.end()).toBe(media.flvEnd);
    return listener;
  }
});
