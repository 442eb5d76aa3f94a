import type { FakeResponse } from '../../helpers/channel-house';
import { CONFIG, CONFIG_44K, ChannelHouse } from '../../helpers/channel-house';

describe('a listener of a channel', () => {
  it('gets the header, the metadata and the configuration first, and its own time from 0', async () => {
    const house = new ChannelHouse();
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
    const house = new ChannelHouse();
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
    const house = new ChannelHouse();
    house.channels.announce('demo');
    const listener = await house.listen('demo');
    house.publish('demo', 't1').send(50);
    house.publish('demo', 't2').send(50);
    expect(listener.times).toEqual(Array.from({ length: 100 }, (_, frame) => Math.round((frame * 64) / 3)));
    expect(listener.configs).toEqual([CONFIG.toString('hex')]);
  });

  it('gets a configuration that has changed', async () => {
    const house = new ChannelHouse();
    house.channels.announce('demo');
    const listener = await house.listen('demo');
    house.publish('demo', 't1').send(2);
    house.publish('demo', 't2').send(2, CONFIG_44K);
    expect(listener.configs).toEqual([CONFIG.toString('hex'), CONFIG_44K.toString('hex')]);
    expect(listener.times).toEqual([0, 21, 43, 66]);
  });

  it('is counted, and the numbers are told together after a moment', async () => {
    const house = new ChannelHouse();
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

async function closed(response: FakeResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once('close', () => resolve());
    response.destroy();
  });
}
