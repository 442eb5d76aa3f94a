import { Guards } from '../../../src/media-server/srs/guards';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { RtmpPlayDoor } from '../../helpers/rtmp-play-door';
import { silentLogger } from '../../helpers/silent-logger';

describe('the guards of all vibes', () => {
  let door: RtmpPlayDoor;
  let clock: FakeClock;
  let guards: Guards;
  let came: string[];

  beforeEach(async () => {
    door = new RtmpPlayDoor();
    await door.listen();
    clock = new FakeClock();
    came = [];
    guards = new Guards({
      urlOf: (vibeId) => `rtmp://127.0.0.1:${door.port}/live/${vibeId}?relay=nonce`,
      clock,
      logger: silentLogger,
      onPlaying: (vibeId) => came.push(vibeId),
    });
  });
  afterEach(async () => {
    guards.close();
    guards.close();
    await door.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('are one for each vibe, and play its stream', async () => {
    for (const vibeId of ['a', 'b', 'a']) guards.keep(vibeId);
    await eventually('both play', () => came.length === 2);
    const streams = new Set(door.connections.map(({ stream }) => stream));
    expect([...streams].sort()).toEqual(['a?relay=nonce', 'b?relay=nonce']);
    expect([guards.isPlaying('a'), guards.isPlaying('c'), guards.of('c')]).toEqual([true, false, undefined]);
  });

  it('are there a second longer than their vibe, for the last of it', async () => {
    guards.keep('a');
    await eventually('it plays', () => guards.isPlaying('a'));
    const left = new Promise<void>((resolve) => door.latest?.onClose(resolve));
    guards.release('a');
    guards.release('other');
    clock.advance(999);
    expect(guards.isPlaying('a')).toBe(true);
    clock.advance(1);
    await left;
    expect(guards.of('a')).toBeUndefined();
  });

  it('stay where the vibe is back within that second', async () => {
    guards.keep('a');
    await eventually('it plays', () => guards.isPlaying('a'));
    guards.release('a');
    guards.keep('a');
    const { length } = door.connections;
    clock.advance(5_000);
    expect([guards.isPlaying('a'), door.connections.length]).toEqual([true, length]);
  });

  it('can be waited for, and not for ever', async () => {
    door.onPlay = ({ stream }) => stream.startsWith('a');
    for (const vibeId of ['a', 'b', 'c']) guards.keep(vibeId);
    const waiting = ['a', 'b', 'c'].map((vibeId) => guards.whenPlaying(vibeId, 10_000));
    expect(await waiting[0]).toBe(true);
    expect(await guards.whenPlaying('a', 10_000)).toBe(true);
    guards.release('c');
    clock.advance(1_000);
    expect(await waiting[2]).toBe(false);
    clock.advance(9_000);
    expect(await waiting[1]).toBe(false);
  });

  it('come back when SRS is heard of again', async () => {
    guards.keep('a');
    guards.keep('b');
    await eventually('both play', () => came.length === 2);
    await door.close();
    await eventually('both are away', () => !guards.isPlaying('a') && !guards.isPlaying('b'));
    await door.listen();
    guards.retryNow('a');
    await eventually('one is back', () => guards.isPlaying('a'));
    expect(guards.isPlaying('b')).toBe(false);
    guards.retryNow();
    await eventually('both are back', () => guards.isPlaying('b'));
  });

  it('let nobody wait who waits for them when they are closed', async () => {
    door.onPlay = () => false;
    guards.keep('a');
    const waiting = guards.whenPlaying('a', 10_000);
    guards.close();
    expect(await waiting).toBe(false);
  });
});
