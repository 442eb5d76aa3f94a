import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { Channels, type Publisher } from '../../../src/media-server/embedded/channels';
import { FlvParser, type FlvTag } from '../../../src/media-server/flv';
import { FakeClock } from '../../helpers/fake-clock';

const CONFIG = Buffer.from('af00119056e500', 'hex');
const CONFIG_44K = Buffer.from('af001210', 'hex');
const FRAME = Buffer.from('af01214f00', 'hex');

class FakePublisher implements Publisher {
  isAlive = true;
  #published = true;

  constructor(
    private readonly channels: Channels,
    readonly vibeId: string,
    readonly token = '',
  ) {}

  send(frames: number, config = CONFIG): void {
    this.channels.audio(this, config);
    for (let frame = 0; frame < frames; frame += 1) this.channels.audio(this, FRAME);
  }

  close(): void {
    this.isAlive = false;
    if (!this.#published) return;
    this.#published = false;
    this.channels.unpublish(this);
  }
}

/** What a player's answer is to a channel: something to write to. */
class FakeResponse extends Writable {
  readonly tags: FlvTag[] = [];
  headerFlags: number | undefined;
  readonly #parser = new FlvParser({
    onHeader: (flags) => (this.headerFlags = flags),
    onTag: (tag) => this.tags.push({ ...tag, body: Buffer.from(tag.body) }),
  });

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#parser.push(bytes);
    done();
  }

  get times(): number[] {
    return this.tags.filter((tag) => tag.type === 8 && tag.body[1] === 1).map((tag) => tag.timestampMs);
  }

  get configs(): string[] {
    return this.tags
      .filter((tag) => tag.type === 8 && tag.body[1] === 0)
      .map((tag) => tag.body.toString('hex'));
  }
}

class House {
  readonly clock = new FakeClock();
  readonly events: [string, object][] = [];
  readonly channels = new Channels(this.clock, {
    published: (publish) => this.events.push(['published', publish]),
    unpublished: (end) => this.events.push(['unpublished', end]),
    listeners: (counts) => this.events.push(['listeners', counts]),
    cut: (cut) => this.events.push(['cut', cut]),
  });

  publish(vibeId: string, token?: string): FakePublisher {
    const publisher = new FakePublisher(this.channels, vibeId, token);
    const refusal = this.channels.publish(publisher);
    if (refusal !== undefined) throw new Error(refusal);
    return publisher;
  }

  async listen(vibeId: string): Promise<FakeResponse> {
    const response = new FakeResponse();
    const channel = await this.channels.find(vibeId, 0);
    if (!channel) throw new Error(`no ${vibeId}`);
    channel.attach(response as unknown as ServerResponse);
    return response;
  }

  told(kind: string): object[] {
    return this.events.filter(([name]) => name === kind).map(([, event]) => event);
  }
}

describe('a stream', () => {
  it('exists when it is announced, and when somebody publishes it', async () => {
    const house = new House();
    expect(await house.channels.find('demo', 0)).toBeUndefined();
    house.channels.announce('demo');
    expect(await house.channels.find('demo', 0)).toBeDefined();
    house.publish('by-hand');
    expect(await house.channels.find('by-hand', 0)).toBeDefined();
    expect(house.events).toEqual([]);
  });

  it('is waited for, for a while', async () => {
    const house = new House();
    const early = house.channels.find('demo', 3_000);
    house.channels.announce('demo');
    await expect(early).resolves.toBeDefined();

    const inVain = house.channels.find('never', 3_000);
    house.clock.advance(3_000);
    await expect(inVain).resolves.toBeUndefined();
    expect(house.clock.pendingTimers).toBe(0);
  });

  it('tells of a publish with its first frame, and of its end with the exact number', () => {
    const house = new House();
    const publisher = house.publish('demo', 't1');
    house.channels.audio(publisher, CONFIG);
    expect(house.told('published')).toEqual([]);
    publisher.send(41);
    publisher.close();
    house.channels.audio(publisher, FRAME);
    expect(house.events).toEqual([
      ['published', { vibeId: 'demo', token: 't1' }],
      ['unpublished', { vibeId: 'demo', token: 't1', aacFrames: 41 }],
    ]);
  });

  it('tells of the end of a publish that never sent a frame', () => {
    const house = new House();
    house.publish('demo', 't1').close();
    expect(house.events).toEqual([['unpublished', { vibeId: 'demo', token: 't1', aacFrames: 0 }]]);
  });

  it.each([
    ['is not AAC', Buffer.from([0x2f, 1, 2, 3])],
    ['comes without a configuration', FRAME],
    ['has a configuration that cannot be read', Buffer.from([0xaf, 0, 0xff])],
  ])('takes no audio that %s', (_, body) => {
    const house = new House();
    const publisher = house.publish('demo');
    expect(() => house.channels.audio(publisher, body)).toThrow();
  });
});

describe('a busy name', () => {
  it('refuses a second publisher', () => {
    const house = new House();
    house.publish('demo', 't1');
    expect(() => house.publish('demo', 't2')).toThrow('published already');
  });

  it('is free where the older publisher’s connection is dead', () => {
    const house = new House();
    const older = house.publish('demo', 't1');
    older.send(3);
    older.isAlive = false;
    house.publish('demo', 't2').send(1);
    expect(house.told('unpublished')).toEqual([{ vibeId: 'demo', token: 't1', aacFrames: 3 }]);
  });

  it('of an announced vibe goes to the encoder’s new life at once', () => {
    const house = new House();
    house.channels.announce('demo');
    const older = house.publish('demo', 't1');
    older.send(3);
    const newer = house.publish('demo', 't2');
    newer.send(2);
    expect(older.isAlive).toBe(false);
    newer.close();
    expect(house.told('unpublished')).toEqual([
      { vibeId: 'demo', token: 't1', aacFrames: 3 },
      { vibeId: 'demo', token: 't2', aacFrames: 2 },
    ]);
  });

  it('of an announced vibe stays with its encoder where the other has no token, or the same', () => {
    const house = new House();
    house.channels.announce('demo');
    house.publish('demo', 't1');
    expect(() => house.publish('demo')).toThrow('published already');
    expect(() => house.publish('demo', 't1')).toThrow('published already');
  });
});

describe('a listener', () => {
  it('gets the header, the metadata and the configuration first, and its own time from 0', async () => {
    const house = new House();
    const publisher = house.publish('demo');
    house.channels.metadata(publisher, { audiocodecid: 10, width: 640, duration: 0, encoder: 'Lavf' });
    publisher.send(100);
    const listener = await house.listen('demo');
    publisher.send(4);
    expect(listener.headerFlags).toBe(4);
    expect(listener.tags.map((tag) => [tag.type, tag.timestampMs])).toEqual([
      [18, 0],
      [8, 0],
      [8, 0],
      [8, 22],
      [8, 43],
      [8, 64],
    ]);
    const metadata = listener.tags[0]?.body.toString('latin1') ?? '';
    expect(metadata).toMatch(/onMetaData.*hasAudio.*hasVideo.*audiocodecid.*encoder/s);
    expect(metadata).not.toMatch(/width|duration/);
  });

  it('hears the same spacing as every other one', async () => {
    const house = new House();
    const publisher = house.publish('demo');
    publisher.send(1);
    const early = await house.listen('demo');
    publisher.send(10);
    const [late, later] = [await house.listen('demo'), await house.listen('demo')];
    publisher.send(20);
    const offset = early.times[10] as number;
    expect(late.times).toEqual(early.times.slice(10).map((ms) => ms - offset));
    expect(later.times).toEqual(late.times);
  });

  it('stays over a new publisher; time goes on by one frame, the same configuration is not repeated', async () => {
    const house = new House();
    house.channels.announce('demo');
    const listener = await house.listen('demo');
    house.publish('demo', 't1').send(50);
    house.publish('demo', 't2').send(50);
    expect(listener.times).toEqual(Array.from({ length: 100 }, (_, frame) => Math.round((frame * 64) / 3)));
    expect(listener.configs).toEqual([CONFIG.toString('hex')]);
  });

  it('gets a configuration that has changed', async () => {
    const house = new House();
    house.channels.announce('demo');
    const listener = await house.listen('demo');
    house.publish('demo', 't1').send(2);
    house.publish('demo', 't2').send(2, CONFIG_44K);
    expect(listener.configs).toEqual([CONFIG.toString('hex'), CONFIG_44K.toString('hex')]);
    expect(listener.times).toEqual([0, 21, 43, 66]);
  });

  it('is counted, and the numbers are told together after a moment', async () => {
    const house = new House();
    house.channels.announce('a');
    house.channels.announce('b');
    const first = await house.listen('a');
    await house.listen('a');
    await house.listen('b');
    expect(house.told('listeners')).toEqual([]);
    house.clock.advance(100);
    expect(house.told('listeners')).toEqual([
      [
        { vibeId: 'a', listeners: 2 },
        { vibeId: 'b', listeners: 1 },
      ],
    ]);
    await closed(first);
    house.clock.advance(100);
    expect(house.told('listeners')[1]).toEqual([{ vibeId: 'a', listeners: 1 }]);
  });
});

describe('a vibe that is retired', () => {
  it('ends at once where nobody publishes it', async () => {
    const house = new House();
    house.channels.announce('demo');
    const listener = await house.listen('demo');
    house.channels.retire('demo');
    expect(listener.writableEnded).toBe(true);
    expect(await house.channels.find('demo', 0)).toBeUndefined();
  });

  it('ends with its publisher, when everything has been sent', async () => {
    const house = new House();
    house.channels.announce('demo');
    const listener = await house.listen('demo');
    const publisher = house.publish('demo', 't1');
    house.channels.retire('demo');
    publisher.send(9);
    expect(listener.writableEnded).toBe(false);
    publisher.close();
    expect([listener.writableEnded, listener.times.length]).toEqual([true, 9]);
  });

  it('keeps its HLS for 30 s', () => {
    const house = new House();
    house.channels.announce('demo');
    const publisher = house.publish('demo', 't1');
    publisher.send(9);
    house.channels.retire('demo');
    publisher.close();
    const playlist = house.channels.lately('demo')?.hls.playlist() ?? '';
    const [segment = ''] = /^demo-.*\.ts$/m.exec(playlist) ?? [];
    expect(playlist).toContain('#EXT-X-ENDLIST');
    house.clock.advance(29_999);
    expect(house.channels.segment('demo', segment)).toBeDefined();
    house.clock.advance(1);
    expect(house.channels.segment('demo', segment)).toBeUndefined();
    expect(house.channels.lately('demo')).toBeUndefined();
    expect(house.clock.pendingTimers).toBe(0);
  });

  it('starts anew when it is announced again: other segments, higher numbers, time from 0', async () => {
    const house = new House();
    const playlists: string[] = [];
    for (const token of ['t1', 't2']) {
      house.channels.announce('demo');
      const listener = await house.listen('demo');
      const publisher = house.publish('demo', token);
      publisher.send(400);
      expect(listener.times[0]).toBe(0);
      house.channels.retire('demo');
      publisher.close();
      playlists.push(house.channels.lately('demo')?.hls.playlist() ?? '');
    }
    const [first, second] = playlists.map((text) => text.match(/^demo-.*\.ts$/gm) ?? []);
    expect(first).toHaveLength(5);
    expect([...(second ?? [])].some((name) => [...(first ?? [])].includes(name))).toBe(false);
    const numbers = playlists.map((text) => Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]));
    expect(numbers[1]).toBe((numbers[0] as number) + 5);
    house.clock.advance(60_000);
    expect(house.clock.pendingTimers).toBe(0);
  });

  it('lets go of its last publisher when it is announced again before that is gone', async () => {
    const house = new House();
    house.channels.announce('demo');
    const publisher = house.publish('demo', 't1');
    publisher.send(1);
    const listener = await house.listen('demo');
    house.channels.retire('demo');
    house.channels.announce('demo');
    expect([publisher.isAlive, listener.writableEnded]).toEqual([false, true]);
    expect(await house.channels.find('demo', 0)).toBeDefined();
  });
});

describe('a name that nobody announced', () => {
  it('keeps its listeners for 10 s without a publisher', async () => {
    const house = new House();
    const publisher = house.publish('by-hand');
    publisher.send(2);
    const listener = await house.listen('by-hand');
    publisher.close();
    house.clock.advance(9_999);
    house.publish('by-hand').send(2);
    house.clock.advance(20_000);
    expect([listener.writableEnded, listener.times.length]).toEqual([false, 2]);
  });

  it('is over after that', async () => {
    const house = new House();
    const publisher = house.publish('by-hand');
    const listener = await house.listen('by-hand');
    publisher.close();
    house.clock.advance(10_000);
    expect(listener.writableEnded).toBe(true);
    expect(await house.channels.find('by-hand', 0)).toBeUndefined();
  });

  it('is not over when it is announced meanwhile', async () => {
    const house = new House();
    house.publish('by-hand').close();
    house.channels.announce('by-hand');
    house.clock.advance(60_000);
    expect(await house.channels.find('by-hand', 0)).toBeDefined();
  });
});

async function closed(response: FakeResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once('close', () => resolve());
    response.destroy();
  });
}
