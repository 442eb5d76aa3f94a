import { DEFAULT_FORMAT } from '../../src/audio/pcm';
import { Problem } from '../../src/base/errors';
import { Vibe } from '../../src/vibes/vibe';
import type { VibeEvent } from '../../src/vibes/vibe-events';
import { describe as statusOf, summarize } from '../../src/vibes/vibe-status';
import { FakeHouse } from '../helpers/vibe-house';

/** `ms` of a loud square wave. */
function sound(ms: number): Buffer {
  const bytes = Buffer.alloc(ms * 192);
  for (let at = 0; at < bytes.length; at += 2) bytes.writeInt16LE(at % 400 < 200 ? 12_000 : -12_000, at);
  return bytes;
}

function setUp(config: ConstructorParameters<typeof FakeHouse>[0] = {}) {
  const house = new FakeHouse(config);
  const vibe = new Vibe({ vibeId: 'v1', creator: 'ann' }, house);
  const events: VibeEvent[] = [];
  vibe.subscribe((event) => events.push(event));
  const send = (ms: number): void => {
    vibe.declare(DEFAULT_FORMAT);
    vibe.push(sound(ms), { door: 'post' });
  };
  const states = (): string[] => events.flatMap((event) => (event.type === 'state' ? [event.state] : []));
  return { house, vibe, events, send, states };
}

async function codeOf(action: () => unknown): Promise<string | undefined> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return undefined;
}

describe('a vibe', () => {
  it('goes from starting over buffering to live, to holding when the audio runs out, and back', () => {
    const { house, vibe, send, states } = setUp();
    expect(vibe.state).toBe('starting');
    send(500);
    expect(vibe.state).toBe('buffering');
    house.clock.advance(100);
    expect(vibe.state).toBe('live');
    house.clock.advance(1_000);
    expect(vibe.state).toBe('holding');
    send(500);
    house.clock.advance(300);
    expect(states()).toEqual(['buffering', 'live', 'holding', 'live']);
  });

  it('is announced to the media server while it lasts', async () => {
    const { house, vibe } = setUp();
    expect(house.mediaServer.announced.has('v1')).toBe(true);
    await vibe.end({ drain: true, cause: 'test' });
    expect(house.mediaServer.announced.has('v1')).toBe(false);
  });

  it('is on air while it plays out, but not where it never had anything to play', async () => {
    const played = setUp();
    played.send(500);
    const playing = played.vibe.end({ drain: true, cause: 'test' });
    await played.house.clock.advanceAsync(2_000);
    await playing;
    const empty = setUp();
    await empty.vibe.end({ drain: true, cause: 'test' });
    const onAir = ({ events }: ReturnType<typeof setUp>): boolean[] =>
      events.flatMap((event) =>
        event.type === 'state' && event.state === 'ending' ? [event.isStreaming] : [],
      );
    expect([onAir(played), onAir(empty)]).toEqual([[true], [false]]);
  });

  it('plays out what is held before it ends, and feeds the encoder every sample', async () => {
    const { house, vibe, send } = setUp();
    send(1_000);
    const over = vibe.end({ drain: true, cause: 'test' });
    expect(vibe.state).toBe('ending');
    await house.clock.advanceAsync(1_500);
    await over;
    expect(vibe.state).toBe('ended');
    expect(house.encoder.bytes.equals(sound(1_000))).toBe(true);
    expect(house.clock.pendingTimers).toBe(0);
  });

  it('feeds as much silence behind the last sample as the media server needs, counted as such', async () => {
    const { house, vibe, send } = setUp();
    house.mediaServer.tailMs = 160;
    send(1_000);
    const over = vibe.end({ drain: true, cause: 'test' });
    await house.clock.advanceAsync(1_500);
    await over;
    const tailBytes = 8 * 1024 * 4;
    expect(house.encoder.bytes.equals(Buffer.concat([sound(1_000), Buffer.alloc(tailBytes)]))).toBe(true);
    expect(await house.metric('vibesflow_samples_silence_total')).toBe(8 * 1024);
    expect(statusOf(vibe)).toMatchObject({ silenceSamples: 8 * 1024 });
    expect(house.clock.pendingTimers).toBe(0);
  });

  it('is remembered without its encoder, and says the same of it', async () => {
    const { house, vibe, send } = setUp();
    send(1_000);
    const over = vibe.end({ drain: true, cause: 'test' });
    await house.clock.advanceAsync(1_500);
    const before = statusOf(vibe);
    await over;
    expect(vibe.pipeline.encoder).not.toBe(house.encoder);
    const { format, sequence, driftPpm, silenceSamples, lastEncoderExit } = before;
    expect(statusOf(vibe)).toMatchObject({ format, sequence, driftPpm, silenceSamples, lastEncoderExit });
    expect(statusOf(vibe)).toMatchObject({ format: DEFAULT_FORMAT, sequence: 1, encoder: null });
    vibe.warmUp();
    expect(house.encoders).toHaveLength(1);
  });

  it('throws away what is held when asked to, and counts it', async () => {
    const { house, vibe, send } = setUp();
    send(1_000);
    await vibe.end({ drain: false, cause: 'test' });
    expect(vibe.state).toBe('ended');
    const played = await house.metric('vibesflow_samples_played_total');
    expect(await house.metric('vibesflow_samples_discarded_total')).toBe(48_000 - played);
    expect(await house.metric('vibesflow_samples_accepted_total')).toBe(48_000);
  });

  it('ends when its creator is away for HOLD_SECONDS, sending silence until then', async () => {
    const { house, vibe, send, states } = setUp({ holdSeconds: 10 });
    send(100);
    await house.clock.advanceAsync(9_900, 20);
    expect(vibe.state).toBe('holding');
    await house.clock.advanceAsync(1_000, 20);
    expect(states().slice(-2)).toEqual(['ending', 'ended']);
    const silentMs = (await house.metric('vibesflow_samples_silence_total')) / 48;
    expect(silentMs).toBeGreaterThan(9_800);
    expect(silentMs).toBeLessThan(10_100);
  });

  it('ends when no audio ever comes', async () => {
    const { house, vibe } = setUp({ holdSeconds: 5 });
    await house.clock.advanceAsync(59_000, 1_000);
    expect(vibe.state).toBe('starting');
    await house.clock.advanceAsync(2_000, 1_000);
    expect(vibe.state).toBe('ended');
  });

  it('waits two minutes for an encoder to run again, then fails, counts what it held, and says why', async () => {
    const { house, vibe, send } = setUp({ holdSeconds: 600 });
    vibe.warmUp();
    house.encoder.setWritable(false);
    send(1_000);
    house.encoder.to('failed', 'too many failures');
    await house.clock.advanceAsync(119_000, 1_000);
    expect(vibe.isOver).toBe(false);
    await house.clock.advanceAsync(2_000, 1_000);
    expect(vibe.state).toBe('failed');
    expect(vibe.reason).toContain('too many failures');
    expect(await house.metric('vibesflow_samples_discarded_total')).toBe(48_000);
    expect(await codeOf(() => vibe.push(sound(10), { door: 'post' }))).toBe('vibe-failed');
  });

  it('goes on when its encoder comes back in time', async () => {
    const { house, vibe, send } = setUp({ holdSeconds: 600 });
    vibe.warmUp();
    house.encoder.setWritable(false);
    send(1_000);
    house.encoder.to('failed', 'too many failures');
    await house.clock.advanceAsync(100_000, 1_000);
    house.encoder.to('starting', 'probe');
    house.encoder.setWritable(true);
    house.encoder.to('running', 'progress');
    await house.clock.advanceAsync(60_000, 1_000);
    expect(vibe.isOver).toBe(false);
    expect(house.encoder.bytes.subarray(0, 192_000).equals(sound(1_000))).toBe(true);
  });

  it('lets its creator number chunks anew after a new start', () => {
    const { vibe } = setUp();
    vibe.declare(DEFAULT_FORMAT);
    vibe.push(sound(20), { door: 'post', sequence: 7 });
    vibe.restartNumbering();
    expect(vibe.push(sound(40), { door: 'post', sequence: 0 })).toMatchObject({
      duplicate: false,
      bufferedMs: 60,
    });
  });

  it('uses the encoder that was warmed up, or another where the format is another', () => {
    const usual = setUp();
    usual.vibe.warmUp();
    usual.send(20);
    expect(usual.house.encoders).toHaveLength(1);
    const other = setUp();
    other.vibe.warmUp();
    other.vibe.declare({ sampleFormat: 'f32be', sampleRate: 44_100, channels: 1 });
    expect(other.house.encoders.map(({ state }) => state)).toEqual(['idle', 'starting']);
    expect(other.house.encoder.options.format).toEqual({
      sampleFormat: 'f32le',
      sampleRate: 44_100,
      channels: 1,
    });
  });

  it('refuses another format in mid-vibe', async () => {
    const { vibe, send } = setUp();
    send(20);
    expect(await codeOf(() => vibe.declare({ ...DEFAULT_FORMAT, sampleRate: 44_100 }))).toBe(
      'format-changed',
    );
    expect(await codeOf(() => vibe.declare(DEFAULT_FORMAT))).toBeUndefined();
  });

  it('hands big-endian audio to the encoder in little-endian order', () => {
    const { house, vibe } = setUp({ prebufferMs: 0 });
    vibe.declare({ ...DEFAULT_FORMAT, sampleFormat: 's16be' });
    vibe.push(Buffer.from(sound(20)).swap16(), { door: 'post' });
    expect(house.encoder.bytes.equals(sound(20))).toBe(true);
  });

  it('gives receipts: bytes, what is buffered, the sequence', () => {
    const { vibe } = setUp();
    vibe.declare(DEFAULT_FORMAT);
    expect(vibe.push(sound(500), { door: 'post', sequence: 4 })).toMatchObject({
      accepted: 96_000,
      duplicate: false,
      bufferedMs: 500,
      sequence: 4,
    });
    expect(vibe.push(sound(500), { door: 'post', sequence: 4 })).toMatchObject({
      accepted: 0,
      duplicate: true,
    });
  });

  it('lets a body wait for room, first come first served, and turns it away when the vibe ends', async () => {
    const { house, vibe, send } = setUp({ maxBufferSeconds: 1 });
    send(1_000);
    const order: string[] = [];
    const first = vibe.whenRoom(24_000).then(() => order.push('first'));
    const second = vibe.whenRoom(100).then(() => order.push('second'));
    const never = vibe.whenRoom(48_000);
    await house.clock.advanceAsync(800);
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    void vibe.end({ drain: true, cause: 'test' });
    expect(await codeOf(() => never)).toBe('vibe-ending');
    await house.clock.advanceAsync(2_000);
  });

  it('lets a newer connection of the creator take over, and sends the older one away', () => {
    const { vibe, send } = setUp();
    send(20);
    const gone: string[] = [];
    const leaveOld = vibe.takeOver({ supersede: ({ code }) => gone.push(`old ${code}`) });
    vibe.takeOver({ supersede: ({ code }) => gone.push(`new ${code}`) });
    leaveOld();
    void vibe.end({ drain: false, cause: 'test' });
    expect(gone).toEqual(['old superseded', 'new vibe-ending']);
  });

  it('measures ten times a second what goes out', () => {
    const { house, events, send } = setUp();
    send(2_000);
    house.clock.advance(1_060);
    const levels = events.filter((event) => event.type === 'level');
    expect(levels.length).toBeGreaterThanOrEqual(9);
    expect(levels.length).toBeLessThanOrEqual(11);
    expect(levels[3]).toMatchObject({ peakDbfs: -8.7, rmsDbfs: -8.7, signal: 'ok' });
  });

  it('raises the silence alarm when a creator has been away for five seconds, and ends it when it is back', () => {
    const { house, events, send } = setUp();
    send(200);
    house.clock.advance(7_000);
    send(200);
    house.clock.advance(400);
    const alarms = events.filter((event) => event.type === 'silence');
    expect(alarms).toMatchObject([{ active: true, signal: 'filling' }, { active: false }]);
  });

  it('takes silence of both kinds together: a silent creator with gaps raises the alarm, too', () => {
    const { house, vibe, events } = setUp();
    vibe.declare(DEFAULT_FORMAT);
    for (let n = 0; n < 4; n += 1) {
      vibe.push(Buffer.alloc(192 * 3_000), { door: 'post' });
      house.clock.advance(3_400);
    }
    expect(events.filter((event) => event.type === 'silence')).toHaveLength(1);
  });

  it('tells a creator’s connection that it was idle when the vibe ends for its silence', async () => {
    const { house, vibe, send } = setUp({ holdSeconds: 5 });
    send(100);
    const gone: string[] = [];
    vibe.takeOver({ supersede: ({ code }) => gone.push(code) });
    await house.clock.advanceAsync(6_000, 50);
    expect(vibe.state).toBe('ended');
    expect(gone).toEqual(['idle']);
  });

  it('tells a silent creator from one that is away', () => {
    const { house, vibe, events } = setUp();
    vibe.declare(DEFAULT_FORMAT);
    vibe.push(Buffer.alloc(192 * 8_000), { door: 'post' });
    house.clock.advance(7_000);
    expect(vibe.state).toBe('live');
    expect(vibe.signal).toBe('silent');
    expect(events.filter((event) => event.type === 'silence')).toMatchObject([
      { active: true, signal: 'silent' },
    ]);
  });

  describe('whose encoder dies', () => {
    const died = (samplesFed: number, token = 'life-1') => ({
      ...{ reason: 'killed', exitCode: null, signal: 'SIGKILL' as const },
      ...{ samplesFed, outTimeUs: 0, token, stderr: [] },
    });

    /** On air, with an encoder that was fed something. @returns what that was */
    function fed() {
      const stage = setUp({ prebufferMs: 0 });
      const { house, vibe } = stage;
      const noise = Buffer.from(Array.from({ length: 192 * 2_000 }, (_, at) => (at * 7_919) >> 3));
      vibe.declare(DEFAULT_FORMAT);
      vibe.push(noise, { door: 'post' });
      house.clock.advance(500);
      const first = house.encoder.bytes;
      house.encoder.setWritable(false);
      return { ...stage, first, samples: first.length / 4 };
    }

    /** Another process begins. @returns what it is fed at once */
    function restart(house: FakeHouse): Buffer {
      house.encoder.written.length = 0;
      house.encoder.to('backoff', 'killed');
      house.encoder.to('starting', 'retry');
      house.encoder.setWritable(true);
      return house.encoder.bytes;
    }

    it('feeds the next one first what was fed and not published, to the sample: nothing is lost', async () => {
      const { house, vibe, first, samples } = fed();
      house.encoder.emit('exit', died(samples), false);
      vibe.unpublished({ vibeId: 'v1', token: 'life-1', aacFrames: 8 });
      const again = first.subarray(7 * 1024 * 4);
      expect(restart(house).subarray(0, again.length).equals(again)).toBe(true);
      expect(await house.metric('vibesflow_samples_replayed_total')).toBe(samples - 7 * 1024);
      expect(await house.metric('vibesflow_samples_lost_total')).toBe(0);
      expect(statusOf(vibe)).toMatchObject({ lostSamples: 0 });
    });

    it('does so again when the next one dies before it has published anything', async () => {
      const { house, vibe, first, samples } = fed();
      house.encoder.emit('exit', died(samples), false);
      vibe.unpublished({ vibeId: 'v1', token: 'life-1', aacFrames: 8 });
      const again = restart(house);
      house.encoder.setWritable(false);
      house.encoder.emit('exit', died(again.length / 4, 'life-2'), false);
      vibe.unpublished({ vibeId: 'v1', token: 'life-2', aacFrames: 0 });
      expect(restart(house).subarray(0, again.length).equals(again)).toBe(true);
      expect(again.subarray(0, 4_096).equals(first.subarray(7 * 1024 * 4, 8 * 1024 * 4))).toBe(true);
      expect(await house.metric('vibesflow_samples_lost_total')).toBe(0);
    });

    it('goes by what is known when the next one begins, where the media server says nothing', async () => {
      const { house, first, samples } = fed();
      house.encoder.emit('exit', { ...died(samples), outTimeUs: 100_000 }, false);
      const again = first.subarray(4_800 * 4);
      expect(restart(house).subarray(0, again.length).equals(again)).toBe(true);
    });

    it('plays what it left before it ends, where it is ended meanwhile', async () => {
      const { house, vibe, first, samples } = fed();
      house.encoder.emit('exit', died(samples), false);
      house.encoder.to('backoff', 'killed');
      const ended = vibe.end({ drain: true, cause: 'test' });
      vibe.unpublished({ vibeId: 'v1', token: 'life-1', aacFrames: 8 });
      house.clock.advance(250);
      expect(vibe.state).toBe('ending');
      house.encoder.written.length = 0;
      house.encoder.to('starting', 'retry');
      house.encoder.setWritable(true);
      house.clock.advance(2_000);
      await ended;
      const again = first.subarray(7 * 1024 * 4);
      const rest = 192 * 2_000 - first.length;
      expect(house.encoder.bytes.length).toBe(again.length + rest);
      expect(house.encoder.bytes.subarray(0, again.length).equals(again)).toBe(true);
      expect(await house.metric('vibesflow_samples_lost_total')).toBe(0);
    });

    it('waits for the next one also where nothing else is held', async () => {
      const { house, vibe, send } = setUp({ prebufferMs: 0 });
      send(100);
      house.clock.advance(90);
      const first = house.encoder.bytes;
      house.encoder.setWritable(false);
      house.encoder.emit('exit', died(first.length / 4), false);
      house.encoder.to('backoff', 'killed');
      house.encoder.written.length = 0;
      const ended = vibe.end({ drain: true, cause: 'test' });
      house.clock.advance(250);
      expect(vibe.state).toBe('ending');
      house.encoder.to('starting', 'retry');
      house.encoder.setWritable(true);
      await ended;
      expect(house.encoder.bytes.equals(first)).toBe(true);
      expect(await house.metric('vibesflow_samples_lost_total')).toBe(0);
    });

    it('counts what it left as lost where no next one comes in time', async () => {
      const { house, vibe, samples } = fed();
      house.encoder.emit('exit', died(samples), false);
      house.encoder.to('failed', 'killed');
      vibe.unpublished({ vibeId: 'v1', token: 'life-1', aacFrames: 8 });
      const ended = vibe.end({ drain: true, cause: 'test' });
      house.clock.advance(15_000);
      await ended;
      expect(await house.metric('vibesflow_samples_lost_total')).toBe(samples - 7 * 1024);
    });

    it('forgets what the media server says that it has received, and goes by the latest word', async () => {
      const { house, vibe, first, samples } = fed();
      vibe.received({ vibeId: 'v1', token: 'life-0', aacFrames: 1e6 });
      vibe.received({ vibeId: 'v1', token: 'life-1', aacFrames: 11 });
      house.encoder.emit('exit', died(samples), false);
      expect(restart(house).subarray(0, 4_096)).toEqual(first.subarray(10 * 4_096, 11 * 4_096));
      // The word on the one before comes late: it is not the present one’s.
      vibe.received({ vibeId: 'v1', token: 'life-1', aacFrames: 20 });
      vibe.unpublished({ vibeId: 'v1', token: 'life-1', aacFrames: 20 });
      const again = house.encoder.bytes;
      house.encoder.setWritable(false);
      house.encoder.emit('exit', died(again.length / 4, 'life-2'), false);
      expect(restart(house).subarray(0, again.length).equals(again)).toBe(true);
      expect(await house.metric('vibesflow_samples_lost_total')).toBe(0);
    });

    it('counts to the sample what is lost where there is no next one', async () => {
      const { house, vibe, samples } = fed();
      house.encoder.emit('exit', died(samples), false);
      vibe.unpublished({ vibeId: 'v1', token: 'life-1', aacFrames: 8 });
      await vibe.end({ drain: false, cause: 'test' });
      expect(await house.metric('vibesflow_samples_lost_total')).toBe(samples - 7 * 1024);
      expect(statusOf(vibe)).toMatchObject({ lostSamples: samples - 7 * 1024 });
    });

    it('counts what is too long ago to be fed again', async () => {
      const { house, vibe, samples } = fed();
      house.encoder.emit('exit', died(samples + 500), false);
      vibe.unpublished({ vibeId: 'v1', token: 'life-1', aacFrames: 0 });
      expect(await house.metric('vibesflow_samples_lost_total')).toBe(500);
    });
  });

  it('shows itself: a summary for the list, a status with everything', () => {
    const { house, vibe, send } = setUp();
    vibe.participants.join('p1');
    house.mediaServer.setPlayers('v1', 3);
    send(1_000);
    house.clock.advance(300);
    expect(summarize(vibe)).toMatchObject({
      vibeId: 'v1',
      creator: 'ann',
      participantCount: 1,
      listeners: 3,
      isStreaming: true,
      state: 'live',
      network: null,
      signal: 'ok',
      encoder: { state: 'running', restarts: 0 },
    });
    expect(statusOf(vibe)).toMatchObject({
      format: DEFAULT_FORMAT,
      claimed: false,
      driftPpm: 0,
      reason: null,
    });
  });
});
