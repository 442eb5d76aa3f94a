import { once } from 'node:events';
import type { EncoderExit, EncoderState } from '../../src/encoder/encoder';
import { SpawnLimiter } from '../../src/encoder/spawn-limiter';
import { ENCODER_STATES } from '../../src/encoder/supervised-encoder';
import { IllegalMove, StateMachine } from '../../src/base/state';
import { eventually } from '../helpers/eventually';
import { FakeClock } from '../helpers/fake-clock';
import { CHUNK, CHUNK_SAMPLES, expectNoChildren, feed, supervised, untilState } from './encoder-house';

type Rig = ReturnType<typeof supervised>;

async function nextExit({ encoder }: Rig): Promise<[EncoderExit, boolean]> {
  return (await once(encoder, 'exit')) as [EncoderExit, boolean];
}

/** The moves from now on, as `from → to (cause)`. */
function recordMoves({ encoder }: Rig): string[] {
  const moves: string[] = [];
  encoder.on('state', ({ from, to, cause }) => moves.push(`${from} → ${to} (${cause})`));
  return moves;
}

async function counted(rig: Rig, name: string): Promise<string[]> {
  const text = await rig.house.metrics.registry.getSingleMetricAsString(name);
  return text.split('\n').filter((line) => !line.startsWith('#'));
}

const STATES = Object.keys(ENCODER_STATES) as EncoderState[];

describe('the table of an encoder’s states', () => {
  it.each(STATES.flatMap((from) => STATES.filter((to) => to !== from).map((to) => [from, to] as const)))(
    'allows %s → %s or throws, as it says',
    (from, to) => {
      const moves: string[] = [];
      const machine = new StateMachine('encoder', ENCODER_STATES, from, (move) => moves.push(move.to));
      if (ENCODER_STATES[from].includes(to)) {
        machine.move(to, 'test');
        expect(machine.state).toBe(to);
      } else {
        expect(() => machine.move(to, 'test')).toThrow(IllegalMove);
        expect(machine.state).toBe(from);
        expect(moves).toEqual([]);
      }
    },
  );

  it('has a way to idle from everywhere, and stops only what has a process', () => {
    const leadsToStopping = STATES.filter((state) => ENCODER_STATES[state].includes('stopping'));
    expect(leadsToStopping).toEqual(['starting', 'running']);
    expect(STATES.filter((state) => ENCODER_STATES[state].includes('idle'))).toEqual([
      'stopping',
      'backoff',
      'failed',
    ]);
  });
});

describe('a supervised encoder', () => {
  let rig: Rig;
  afterEach(async () => {
    await rig.encoder.close();
    await expectNoChildren();
    rig.clock.advance(0);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('starts once, runs when audio comes out, and plays its tail at the end', async () => {
    rig = supervised('obedient');
    const moves = recordMoves(rig);
    rig.encoder.start();
    rig.encoder.start();
    expect(rig.encoder.state).toBe('starting');
    await feed(rig.encoder, Buffer.alloc(192_000));
    await untilState(rig.encoder, 'running');
    const exit = nextExit(rig);
    await Promise.all([rig.encoder.end(), rig.encoder.end()]);
    const [ended, wanted] = await exit;
    expect(wanted).toBe(true);
    expect(ended).toMatchObject({ reason: 'ended', exitCode: 0, samplesFed: 48_000, outTimeUs: 1_000_000 });
    expect(moves).toEqual([
      'idle → starting (wanted)',
      'starting → running (progress)',
      'running → stopping (end)',
      'stopping → idle (ended)',
    ]);
    expect(rig.encoder.lastExit).toBe(ended);
    expect(rig.encoder.restarts).toBe(0);
    expect(rig.encoder.pid).toBeUndefined();
  });

  it('stays starting while a slow FFmpeg connects, and gives it time', async () => {
    rig = supervised('slow-start');
    rig.encoder.start();
    await feed(rig.encoder, Buffer.alloc(192_000));
    rig.clock.advance(9_000);
    expect(rig.encoder.state).toBe('starting');
    await feed(rig.encoder, Buffer.alloc(192_000 + CHUNK.length));
    await untilState(rig.encoder, 'running');
  });

  it('starts a new process, with a new token, after one that failed', async () => {
    const urls: string[] = [];
    rig = supervised('dies-later', {
      publishUrl: (vibeId, token) => {
        urls.push(token);
        return `rtmp://127.0.0.1:1/live/${vibeId}?token=${token}`;
      },
    });
    const moves = recordMoves(rig);
    rig.encoder.start();
    const exit = nextExit(rig);
    await feed(rig.encoder, CHUNK);
    const [first, wanted] = await exit;
    expect(wanted).toBe(false);
    expect(first).toMatchObject({ reason: 'output-failed', exitCode: 1, samplesFed: CHUNK_SAMPLES });
    expect(first.stderr).toEqual(['av_interleaved_write_frame(): Broken pipe']);
    expect(rig.encoder.state).toBe('backoff');
    expect(rig.encoder.writable).toBe(false);
    expect(() => rig.encoder.write(CHUNK)).toThrow();

    rig.clock.advance(249);
    expect(rig.encoder.state).toBe('backoff');
    rig.clock.advance(1);
    expect(rig.encoder.state).toBe('starting');
    expect(rig.encoder.restarts).toBe(1);
    expect(urls).toHaveLength(2);
    expect(urls[0]).toBe(first.token);
    expect(urls[1]).not.toBe(first.token);
    expect(urls.every((token) => /^[A-Za-z0-9_-]{22}$/.test(token))).toBe(true);
    expect(moves.at(-1)).toBe('backoff → starting (retry)');
    expect(await counted(rig, 'vibesflow_encoder_starts_total')).toEqual([
      'vibesflow_encoder_starts_total 2',
    ]);
    expect(await counted(rig, 'vibesflow_encoder_exits_total')).toEqual([
      'vibesflow_encoder_exits_total{reason="output-failed"} 1',
    ]);
  });

  it('keeps the token out of what FFmpeg said', async () => {
    rig = supervised('dies-at-once');
    rig.encoder.start();
    const [exit] = await nextExit(rig);
    expect(exit.stderr).toHaveLength(1);
    expect(exit.stderr[0]).toContain('rtmp://127.0.0.1:1/live/song');
    expect(exit.stderr.join()).not.toContain(exit.token);
  });

  it('is failed after eight failures, and probes 30 s later', async () => {
    rig = supervised('dies-at-once');
    rig.encoder.start();
    for (let life = 1; life <= 8; life += 1) {
      await nextExit(rig);
      if (life < 8) {
        expect(rig.encoder.state).toBe('backoff');
        rig.clock.advance(10_000);
      }
    }
    expect(rig.encoder.state).toBe('failed');
    rig.clock.advance(29_999);
    expect(rig.encoder.state).toBe('failed');
    rig.clock.advance(1);
    expect(rig.encoder.state).toBe('starting');
    await nextExit(rig);
    expect(rig.encoder.state).toBe('failed');
  });

  it.each([
    ['hangs', 10_000],
    ['stuck', 6_000],
    ['blocks', 10_000],
  ])('kills an FFmpeg that %s, once it owes audio for %i ms', async (name, limitMs) => {
    rig = supervised(name);
    rig.encoder.start();
    const exit = nextExit(rig);
    await once(rig.encoder, 'writable');
    for (let fed = 0; fed < 200 && rig.encoder.writable; fed += 1) rig.encoder.write(CHUNK);
    if (name === 'stuck') await untilState(rig.encoder, 'running');
    const sinceMs = rig.clock.nowMs();
    await eventually('the process to be killed', () => {
      // A step at a time: it is fed on, and what it says is read in between.
      if (rig.encoder.writable) rig.encoder.write(Buffer.alloc(96_000));
      rig.clock.advance(rig.encoder.state === 'backoff' ? 0 : 500);
      return rig.encoder.state === 'backoff';
    });
    expect(rig.clock.nowMs() - sinceMs).toBeGreaterThanOrEqual(limitMs);
    const [stalled] = await exit;
    expect(stalled).toMatchObject({ reason: 'stalled', signal: 'SIGKILL' });
    expect(rig.encoder.state).toBe('backoff');
  });

  it('expects nothing of an FFmpeg that is not fed', async () => {
    rig = supervised('obedient');
    rig.encoder.start();
    await feed(rig.encoder, CHUNK);
    await untilState(rig.encoder, 'running');
    rig.clock.advance(3_600_000);
    expect(rig.encoder.state).toBe('running');
    expect(rig.encoder.restarts).toBe(0);
  });

  it('waits for the media server, without counting that as failures', async () => {
    let up = true;
    rig = supervised('dies-at-once', { mediaServerUp: () => up });
    rig.encoder.start();
    up = false;
    await nextExit(rig);
    expect(rig.encoder.state).toBe('backoff');
    rig.clock.advance(600_000);
    expect(rig.encoder.state).toBe('backoff');
    expect(rig.encoder.restarts).toBe(0);
    up = true;
    rig.encoder.retryNow();
    expect(rig.encoder.state).toBe('starting');
    await nextExit(rig);
    // The first that counts: 250 ms.
    rig.clock.advance(250);
    expect(rig.encoder.state).toBe('starting');
  });

  it('waits until the media server is clear of the last life, and can be told to wait no more', async () => {
    const waiting: { vibeId: string; go: () => void; cancelled: boolean }[] = [];
    let up = true;
    rig = supervised('obedient', {
      mediaServerUp: () => up,
      whenClear: (vibeId, go) => {
        const entry = { vibeId, go, cancelled: false };
        waiting.push(entry);
        return { cancel: () => void (entry.cancelled = true) };
      },
    });
    rig.encoder.start();
    expect([rig.encoder.state, waiting.map(({ vibeId }) => vibeId)]).toEqual(['backoff', ['song']]);
    // It asks anew, and takes the old wish back.
    rig.encoder.retryNow();
    expect(waiting.map(({ cancelled }) => cancelled)).toEqual([true, false]);
    // The media server went down while it was waited for.
    up = false;
    waiting[1]?.go();
    expect(rig.encoder.state).toBe('backoff');
    up = true;
    rig.encoder.retryNow();
    waiting[2]?.go();
    expect(rig.encoder.state).toBe('starting');
  });

  it('takes its wish back when it is ended while it waits for the media server', async () => {
    let cancelled = 0;
    rig = supervised('obedient', { whenClear: () => ({ cancel: () => void (cancelled += 1) }) });
    rig.encoder.start();
    await rig.encoder.end();
    expect([cancelled, rig.encoder.state]).toEqual([1, 'idle']);
  });

  it('finds out by itself that the media server is back', async () => {
    let up = false;
    rig = supervised('obedient', { mediaServerUp: () => up });
    const moves = recordMoves(rig);
    rig.encoder.start();
    expect(moves).toEqual(['idle → backoff (media server down)']);
    up = true;
    rig.clock.advance(1_000);
    expect(rig.encoder.state).toBe('starting');
    rig.encoder.retryNow();
    expect(rig.encoder.restarts).toBe(0);
  });

  it('waits for its turn where too many start at once', async () => {
    const clock = new FakeClock();
    const spawnLimiter = new SpawnLimiter(clock);
    for (let n = 0; n < 24; n += 1) spawnLimiter.request('first', () => undefined);
    clock.advance(0);
    rig = { ...supervised('obedient', { clock, spawnLimiter }), clock };
    rig.encoder.start();
    expect(rig.encoder.state).toBe('backoff');
    clock.advance(200);
    expect(rig.encoder.state).toBe('starting');
  });

  it('gives its turn back when it is closed meanwhile', async () => {
    const clock = new FakeClock();
    const spawnLimiter = new SpawnLimiter(clock);
    for (let n = 0; n < 24; n += 1) spawnLimiter.request('first', () => undefined);
    clock.advance(0);
    rig = { ...supervised('obedient', { clock, spawnLimiter }), clock };
    rig.encoder.start();
    await rig.encoder.close();
    expect(rig.encoder.state).toBe('idle');
    expect(spawnLimiter.waiting).toBe(0);
  });

  it.each(['end', 'close'] as const)('can %s before it was started, and then never starts', async (how) => {
    rig = supervised('obedient');
    await rig.encoder[how]();
    rig.encoder.start();
    rig.encoder.retryNow();
    expect(rig.encoder.state).toBe('idle');
    expect(rig.encoder.pid).toBeUndefined();
  });

  it('can be closed while it waits for a retry', async () => {
    rig = supervised('dies-at-once');
    rig.encoder.start();
    await nextExit(rig);
    await rig.encoder.close();
    expect(rig.encoder.state).toBe('idle');
    rig.clock.advance(60_000);
    expect(rig.encoder.restarts).toBe(0);
  });

  it('can be closed while it ends: the FFmpeg that does not hear its input end gets SIGTERM', async () => {
    rig = supervised('hangs');
    rig.encoder.start();
    await feed(rig.encoder, CHUNK);
    const exit = nextExit(rig);
    await Promise.all([rig.encoder.end(), rig.encoder.close()]);
    expect((await exit)[0].reason).toBe('cut-short');
    expect(rig.encoder.state).toBe('idle');
  });

  it('kills an FFmpeg that hears nothing at all', async () => {
    rig = supervised('deaf');
    rig.encoder.start();
    await feed(rig.encoder, CHUNK);
    await untilState(rig.encoder, 'running');
    const exit = nextExit(rig);
    const closed = rig.encoder.close();
    await rig.clock.advanceAsync(2_000, 500);
    await closed;
    expect((await exit)[0]).toMatchObject({ reason: 'stopped', signal: 'SIGKILL' });
  });

  it('can be ended from within the news of an exit', async () => {
    rig = supervised('dies-at-once');
    const over = new Promise<void>((resolve) => {
      rig.encoder.on('exit', () => void rig.encoder.end().then(resolve));
    });
    rig.encoder.start();
    await over;
    expect(rig.encoder.state).toBe('idle');
  });

  it('comes back after somebody killed its FFmpeg', async () => {
    rig = supervised('obedient');
    rig.encoder.start();
    await feed(rig.encoder, CHUNK);
    await untilState(rig.encoder, 'running');
    const exit = nextExit(rig);
    process.kill(rig.encoder.pid as number, 'SIGKILL');
    expect((await exit)[0]).toMatchObject({ reason: 'killed', signal: 'SIGKILL' });
    rig.clock.advance(250);
    await feed(rig.encoder, CHUNK);
    await untilState(rig.encoder, 'running');
    expect(rig.encoder.restarts).toBe(1);
  });

  it('goes on trying where FFmpeg cannot be started at all', async () => {
    rig = supervised('is-not-there');
    rig.encoder.start();
    const [exit] = await nextExit(rig);
    expect(exit).toMatchObject({ reason: 'spawn-failed', exitCode: null, signal: null, samplesFed: 0 });
    await eventually('backoff', () => rig.encoder.state === 'backoff');
  });
});
