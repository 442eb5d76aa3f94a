import { once } from 'node:events';
import { CONFIG, FRAME, ChannelHouse } from '../../helpers/channel-house';

describe('a stream', () => {
  it('is nobody’s but an expected encoder’s where strangers are refused altogether', () => {
    const house = new ChannelHouse();
    house.channels.refuseUnexpected();
    expect(() => house.publishUnasked('demo')).toThrow(/by its encoder alone/);
    expect(() => house.publishUnasked('demo', 'token')).toThrow(/by its encoder alone/);
    house.channels.announce('demo');
    house.publish('demo', 'token');
    expect(() => house.publishUnasked('demo', 'token')).toThrow(/by its encoder alone/);
    house.channels.close();
  });

  it('ends what a stranger published under the name of a vibe, as soon as there is that vibe', async () => {
    const house = new ChannelHouse();
    const stranger = house.publishUnasked('demo');
    const listener = await house.listen('demo');
    house.channels.announce('demo');
    expect(stranger.isAlive).toBe(false);
    await once(listener, 'finish');
  });

  it('exists when it is announced, and when somebody publishes it', async () => {
    const house = new ChannelHouse();
    expect(await house.channels.find('demo', 0)).toBeUndefined();
    house.channels.announce('demo');
    expect(await house.channels.find('demo', 0)).toBeDefined();
    house.publish('by-hand');
    expect(await house.channels.find('by-hand', 0)).toBeDefined();
    expect(house.events).toEqual([]);
  });

  it('is waited for, for a while', async () => {
    const house = new ChannelHouse();
    const early = house.channels.find('demo', 3_000);
    house.channels.announce('demo');
    await expect(early).resolves.toBeDefined();

    const inVain = house.channels.find('never', 3_000);
    house.clock.advance(3_000);
    await expect(inVain).resolves.toBeUndefined();
    expect(house.clock.pendingTimers).toBe(0);
  });

  it('tells of a publish with its first frame, and of its end with the exact number', () => {
    const house = new ChannelHouse();
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

  it('tells how much of each was received, together and at most every 20 ms', () => {
    const house = new ChannelHouse();
    const [one, two] = [house.publish('one', 't1'), house.publish('two', 't2')];
    one.send(3);
    two.send(2);
    expect(house.told('received')).toEqual([]);
    house.clock.advance(20);
    one.send(1);
    house.clock.advance(20);
    house.clock.advance(1_000);
    expect(house.told('received')).toEqual([
      [
        { vibeId: 'one', token: 't1', aacFrames: 3 },
        { vibeId: 'two', token: 't2', aacFrames: 2 },
      ],
      [{ vibeId: 'one', token: 't1', aacFrames: 4 }],
    ]);
  });

  it('tells nothing more of one whose end was told', () => {
    const house = new ChannelHouse();
    const publisher = house.publish('demo', 't1');
    publisher.send(3);
    publisher.close();
    house.clock.advance(20);
    expect(house.told('received')).toEqual([]);
  });

  it('tells of the end of a publish that never sent a frame', () => {
    const house = new ChannelHouse();
    house.publish('demo', 't1').close();
    expect(house.events).toEqual([['unpublished', { vibeId: 'demo', token: 't1', aacFrames: 0 }]]);
  });

  it.each([
    ['is not AAC', Buffer.from([0x2f, 1, 2, 3])],
    ['comes without a configuration', FRAME],
    ['has a configuration that cannot be read', Buffer.from([0xaf, 0, 0xff])],
  ])('takes no audio that %s', (_, body) => {
    const house = new ChannelHouse();
    const publisher = house.publish('demo');
    expect(() => house.channels.audio(publisher, body)).toThrow();
  });
});

describe('a busy name', () => {
  it('refuses a second publisher', () => {
    const house = new ChannelHouse();
    house.publish('demo', 't1');
    expect(() => house.publish('demo', 't2')).toThrow('published already');
  });

  it('is free where the older publisher’s connection is dead', () => {
    const house = new ChannelHouse();
    const older = house.publish('demo', 't1');
    older.send(3);
    older.isAlive = false;
    house.publish('demo', 't2').send(1);
    expect(house.told('unpublished')).toEqual([{ vibeId: 'demo', token: 't1', aacFrames: 3 }]);
  });

  it('of an announced vibe goes to the encoder’s new life at once', () => {
    const house = new ChannelHouse();
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

  it.each([
    ['no token', undefined],
    ['one that somebody made up', 't9'],
    ['the one that was shown', 't1'],
    ['that of a life that never came', 't0'],
  ])('of an announced vibe stays with its encoder where the other has %s', (_what, token) => {
    const house = new ChannelHouse();
    house.channels.announce('demo');
    house.channels.expect('demo', 't0');
    const encoder = house.publish('demo', 't1');
    expect(() => house.publishUnasked('demo', token)).toThrow('by its encoder alone');
    expect(encoder.isAlive).toBe(true);
  });

  it('of an announced vibe is nobody’s before its encoder comes', () => {
    const house = new ChannelHouse();
    house.channels.announce('demo');
    expect(() => house.publishUnasked('demo')).toThrow('by its encoder alone');
    house.channels.expect('demo', 't1');
    expect(() => house.publishUnasked('demo', '')).toThrow('by its encoder alone');
    house.publishUnasked('demo', 't1').send(1);
  });

  it('asks for a new token in a vibe’s next life under its name', () => {
    const house = new ChannelHouse();
    house.channels.announce('demo');
    house.channels.expect('demo', 't1');
    house.channels.retire('demo');
    house.channels.announce('demo');
    expect(() => house.publishUnasked('demo', 't1')).toThrow('by its encoder alone');
  });
});

describe('a vibe that is retired', () => {
  it('ends at once where nobody publishes it', async () => {
    const house = new ChannelHouse();
    house.channels.announce('demo');
    const listener = await house.listen('demo');
    house.channels.retire('demo');
    expect(listener.writableEnded).toBe(true);
    expect(await house.channels.find('demo', 0)).toBeUndefined();
  });

  it('ends with its publisher, when everything has been sent', async () => {
    const house = new ChannelHouse();
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
    const house = new ChannelHouse();
    house.channels.announce('demo');
    const publisher = house.publish('demo', 't1');
    publisher.send(9);
    house.channels.retire('demo');
    publisher.close();
    const playlist = house.channels.lately('demo')?.hls.playlist() ?? '';
    const [segment = ''] = /^demo-.*\.ts$/m.exec(playlist) ?? [];
    expect(playlist).toContain('#EXT-X-ENDLIST');
    house.clock.advance(29_999);
    expect(house.channels.withSegment('demo', segment)).toBeDefined();
    house.clock.advance(1);
    expect(house.channels.withSegment('demo', segment)).toBeUndefined();
    expect(house.channels.lately('demo')).toBeUndefined();
    expect(house.clock.pendingTimers).toBe(0);
  });

  it('starts anew when it is announced again: other segments, higher numbers, time from 0', async () => {
    const house = new ChannelHouse();
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
    const house = new ChannelHouse();
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
    const house = new ChannelHouse();
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
    const house = new ChannelHouse();
    const publisher = house.publish('by-hand');
    const listener = await house.listen('by-hand');
    publisher.close();
    house.clock.advance(10_000);
    expect(listener.writableEnded).toBe(true);
    expect(await house.channels.find('by-hand', 0)).toBeUndefined();
  });

  it('is not over when it is announced meanwhile', async () => {
    const house = new ChannelHouse();
    house.publish('by-hand').close();
    house.channels.announce('by-hand');
    house.clock.advance(60_000);
    expect(await house.channels.find('by-hand', 0)).toBeDefined();
  });
});
