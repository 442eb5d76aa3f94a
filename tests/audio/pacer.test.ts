import { JitterBuffer } from '../../src/audio/jitter-buffer';
import { Pacer, type PacerPhase } from '../../src/audio/pacer';
import { DEFAULT_FORMAT, type PcmFormat, sampleBytes } from '../../src/audio/pcm';
import { TICK_MS } from '../../src/audio/ticker';
import { FakeClock } from '../helpers/fake-clock';

/** A pacer with a clock in the test's hand; keeps what was handed over, and when. */
class Rig {
  readonly clock = new FakeClock();
  readonly format: PcmFormat;
  readonly sink = {
    writable: true,
    write: (bytes: Buffer) => this.written.push({ atMs: this.nowMs, bytes }),
  };
  readonly written: { atMs: number; bytes: Buffer }[] = [];
  readonly handed: { atMs: number; samples: number; kind: 'audio' | 'silence' }[] = [];
  readonly phases: { atMs: number; phase: PacerPhase }[] = [];
  readonly sent: Buffer[] = [];
  readonly pacer: Pacer;
  readonly buffer: JitterBuffer;
  finished = false;
  #seed = 1;
  #stalledUntilMs = 0;
  readonly #startMs = this.clock.nowMs();

  constructor(options: { prebufferMs: number; format?: PcmFormat; tickOffsetMs?: number }) {
    this.format = options.format ?? DEFAULT_FORMAT;
    const bytes = sampleBytes(this.format);
    this.buffer = new JitterBuffer({
      sampleBytes: bytes,
      sampleRate: this.format.sampleRate,
      maxSamples: this.format.sampleRate * 30,
    });
    this.pacer = new Pacer({
      format: this.format,
      buffer: this.buffer,
      sink: this.sink,
      prebufferMs: options.prebufferMs,
      events: {
        phase: (phase) => this.phases.push({ atMs: this.nowMs, phase }),
        played: (played, kind) =>
          this.handed.push({ atMs: this.nowMs, samples: played.length / bytes, kind }),
        finished: () => (this.finished = true),
      },
    });
    this.clock.after(options.tickOffsetMs ?? 7, () => {
      this.clock.every(TICK_MS, () => {
        if (this.nowMs >= this.#stalledUntilMs) this.pacer.tick(this.clock.nowMs());
      });
    });
  }

  get nowMs(): number {
    return this.clock.nowMs() - this.#startMs;
  }

  /** A creator's chunk arrives now: a sawtooth that goes on from chunk to chunk. */
  arrive(ms: number): void {
    const samples = Math.round((ms * this.format.sampleRate) / 1000);
    const bytes = Buffer.alloc(samples * sampleBytes(this.format));
    for (let at = 0; at + 1 < bytes.length; at += 2)
      bytes.writeInt16LE(((this.#seed += 37) % 20_000) + 1000, at);
    this.sent.push(bytes);
    this.buffer.push(bytes);
    this.pacer.arrived(this.clock.nowMs(), this.clock.nowMs(), samples);
  }

  /** Chunks of `ms`, each `jitter(n)` late, for `count` chunks. */
  stream(ms: number, count: number, jitter: (n: number) => number = () => 0, rate = 1): void {
    const startMs = this.nowMs;
    for (let n = 0; n < count; n += 1) {
      this.until(startMs + (n * ms) / rate + jitter(n));
      this.arrive(ms);
    }
  }

  until(ms: number): void {
    if (ms > this.nowMs) this.clock.advance(ms - this.nowMs);
  }

  /** The event loop stands still: no tick comes for `ms`, then one, before anything else. */
  pause(ms: number): void {
    this.#stalledUntilMs = this.nowMs + ms;
    this.until(this.#stalledUntilMs);
    this.pacer.tick(this.clock.nowMs());
  }

  /** What was handed over as the creator's audio. */
  get audio(): Buffer {
    let i = 0;
    return Buffer.concat(
      this.written.filter(() => this.handed[i++]?.kind === 'audio').map(({ bytes }) => bytes),
    );
  }

  get output(): Buffer {
    return Buffer.concat(this.written.map(({ bytes }) => bytes));
  }

  silenceSamples(): number {
    return this.handed
      .filter(({ kind }) => kind === 'silence')
      .reduce((sum, { samples }) => sum + samples, 0);
  }

  /** The longest pause between two whole AAC frames becoming complete at the sink. */
  longestPauseMs(fromMs = 0): number {
    let longest = 0;
    let samples = 0;
    let last: number | undefined;
    for (const entry of this.handed) {
      const before = Math.floor(samples / 1024);
      samples += entry.samples;
      if (Math.floor(samples / 1024) === before) continue;
      if (last !== undefined && entry.atMs >= fromMs) longest = Math.max(longest, entry.atMs - last);
      last = entry.atMs;
    }
    return longest;
  }
}

describe('a pacer', () => {
  it('hands nothing over before the first audio', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.until(1_000);
    expect(rig.handed).toEqual([]);
    expect(rig.pacer.phase).toBe('waiting');
  });

  it('with PREBUFFER_MS=0 hands each 20 ms chunk over the moment it comes', () => {
    const rig = new Rig({ prebufferMs: 0 });
    rig.stream(20, 100, (n) => (n === 0 ? 0 : 1 + (n % 3)));
    expect(rig.handed.map(({ samples }) => samples)).toEqual(Array(100).fill(960));
    expect(rig.silenceSamples()).toBe(0);
  });

  it('with PREBUFFER_MS=0 passes chunks on at once although the first one was late', () => {
    const rig = new Rig({ prebufferMs: 0 });
    rig.stream(20, 100, (n) => (n === 0 ? 15 : 0));
    expect(rig.handed.map(({ samples }) => samples)).toEqual(Array(100).fill(960));
  });

  it('holds the first audio for the prebuffer, less its lead, and never longer', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 50);
    const first = rig.handed[0]?.atMs ?? 0;
    expect(first).toBeGreaterThan(60 - 2 * TICK_MS);
    expect(first).toBeLessThanOrEqual(60);
  });

  it('plays a 2 s chunk at the pace of the clock, a frame a tick', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.arrive(2_000);
    rig.until(1_900);
    const steady = rig.handed.slice(4);
    expect(new Set(steady.map(({ samples }) => samples))).toEqual(new Set([1024]));
    expect(rig.longestPauseMs()).toBeLessThan(TICK_MS + 1);
    const handed = rig.handed.reduce((sum, { samples }) => sum + samples, 0) / 48;
    expect(handed).toBeGreaterThan(1_900 - 60);
    expect(handed).toBeLessThan(1_900 - 60 + 3 * TICK_MS);
  });

  it.each(Array.from({ length: 16 }, (_, i) => Math.round(i * 14) / 10))(
    'keeps the pace steady wherever the tick falls (%d ms) and however it jitters',
    (tickOffsetMs) => {
      const rig = new Rig({ prebufferMs: 60, tickOffsetMs });
      rig.arrive(5_000);
      rig.until(4_900);
      expect(rig.longestPauseMs(200)).toBeLessThan(TICK_MS + 1);
    },
  );

  it('hands the creator’s samples over untouched, all of them and in order', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(500, 6, (n) => (n % 3) * 40);
    rig.until(rig.nowMs + 400);
    rig.stream(500, 3);
    rig.pacer.finish(rig.clock.nowMs());
    rig.until(rig.nowMs + 3_000);
    expect(rig.audio.equals(Buffer.concat(rig.sent))).toBe(true);
    expect(rig.finished).toBe(true);
  });

  it('hands a frame that lies in two chunks over in one piece: a write of half a frame wakes FFmpeg for nothing', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 100);
    const steady = rig.written.filter(({ atMs }) => atMs > 200);
    expect(steady.length).toBeGreaterThan(75);
    expect(new Set(steady.map(({ bytes }) => bytes.length))).toEqual(new Set([4096]));
  });

  it('fills a pause with silence in whole AAC frames, at the pace of the clock', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.arrive(1_000);
    rig.until(11_000);
    expect(rig.pacer.phase).toBe('filling');
    expect(rig.silenceSamples() % 1024).toBe(0);
    expect(rig.silenceSamples() / 48).toBeGreaterThan(9_900);
    expect(rig.silenceSamples() / 48).toBeLessThan(10_000);
    expect(rig.longestPauseMs(2_000)).toBeLessThan(TICK_MS + 1);
  });

  it('leaves a pause of six frames at most when a creator falls silent', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.arrive(1_000);
    rig.until(3_000);
    expect(rig.longestPauseMs()).toBeLessThan(6 * TICK_MS + 1);
  });

  it('lets a chunk be 40 ms late without silence', () => {
    const rig = new Rig({ prebufferMs: 0 });
    rig.stream(20, 200, (n) => (n % 10 === 9 ? 38 : 0));
    expect(rig.silenceSamples()).toBe(0);
  });

  it('lets a sound fade into silence and out of it, inside the silence', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.arrive(100);
    rig.until(2_000);
    rig.arrive(1_000);
    rig.until(2_500);
    const values = rig.output;
    const left = (sample: number): number => values.readInt16LE(sample * 4);
    const end = 4_800;
    const steps = Array.from({ length: 260 }, (_, i) => Math.abs(left(end + i) - left(end - 1 - i)));
    // Mirrored: the first sample of silence repeats the last of the sound, almost at full weight.
    expect(steps[0]).toBeLessThan(left(end - 1) * 0.01);
    expect(left(end + 240)).toBe(0);
    expect(left(end + 241)).toBe(0);
    const back =
      (values.length - (values.length % 4)) / 4 -
      rig.handed.filter((h) => h.kind === 'audio' && h.atMs > 1_500).reduce((sum, h) => sum + h.samples, 0);
    expect(left(back - 241)).toBe(0);
    expect(Math.abs(left(back - 1) - left(back))).toBeLessThan(left(back) * 0.01);
  });

  it('plays again within one prebuffer of the first new chunk after the creator was away', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 50);
    rig.until(21_000);
    const backMs = rig.nowMs;
    rig.stream(20, 50);
    const first = rig.handed.find(({ kind, atMs }) => kind === 'audio' && atMs >= backMs);
    expect((first?.atMs ?? Infinity) - backMs).toBeLessThanOrEqual(60);
    expect(rig.audio.equals(Buffer.concat(rig.sent).subarray(0, rig.audio.length))).toBe(true);
  });

  it('with PREBUFFER_MS=0 plays the moment the creator is back', () => {
    const rig = new Rig({ prebufferMs: 0 });
    rig.stream(20, 50);
    rig.until(5_003);
    rig.arrive(20);
    expect(rig.handed.at(-1)).toMatchObject({ atMs: rig.nowMs, kind: 'audio', samples: 960 });
  });

  it.each(Array.from({ length: 16 }, (_, i) => Math.round(i * 14) / 10))(
    'passes 20 ms chunks on at once also after a pause, wherever the tick falls (%d ms)',
    (tickOffsetMs) => {
      const rig = new Rig({ prebufferMs: 0, tickOffsetMs });
      rig.stream(20, 50);
      rig.until(2_507);
      const backMs = rig.nowMs;
      rig.stream(20, 100, (n) => (n === 0 ? 15 : n % 3));
      const audio = rig.handed.filter(({ kind, atMs }) => kind === 'audio' && atMs >= backMs);
      expect(audio.map(({ samples }) => samples)).toEqual(Array(100).fill(960));
    },
  );

  it.each(Array.from({ length: 16 }, (_, i) => Math.round(i * 14) / 10))(
    'holds audio after a pause as it held the first, wherever the tick falls (%d ms)',
    (tickOffsetMs) => {
      const rig = new Rig({ prebufferMs: 60, tickOffsetMs });
      // Late by what the prebuffer and the slack of 40 ms make up for together.
      const jitter = (n: number): number => (n % 20 === 19 ? 97 : 0);
      rig.stream(20, 100, jitter);
      expect(rig.silenceSamples()).toBe(0);
      rig.until(4_500);
      rig.stream(20, 10);
      const before = rig.silenceSamples();
      rig.stream(20, 100, jitter);
      expect(rig.silenceSamples()).toBe(before);
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'runs empty once at most under 2 s chunks with ±300 ms of jitter (seed %d), and is steady from then on',
    (seed) => {
      const rig = new Rig({ prebufferMs: 60 });
      let state = seed * 7919;
      const jitter = (): number =>
        300 + ((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5) * 600;
      rig.stream(2_000, 60, jitter);
      const filling = rig.phases.filter(({ phase }) => phase === 'filling');
      expect(filling.length).toBeLessThanOrEqual(1);
      expect(rig.longestPauseMs((filling[0]?.atMs ?? 0) + 100)).toBeLessThan(2 * TICK_MS);
    },
  );

  it('does not owe silence for the time that no encoder could take it', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.arrive(200);
    rig.until(1_000);
    rig.sink.writable = false;
    rig.until(11_000);
    const before = rig.silenceSamples();
    rig.sink.writable = true;
    rig.until(12_000);
    expect((rig.silenceSamples() - before) / 48).toBeLessThan(1_050);
  });

  it('keeps the creator’s audio while no encoder takes it, and hands it over when one does', () => {
    const rig = new Rig({ prebufferMs: 0 });
    rig.sink.writable = false;
    rig.stream(20, 100);
    expect(rig.handed).toEqual([]);
    rig.sink.writable = true;
    rig.pacer.service(rig.clock.nowMs());
    expect(rig.audio.length).toBeGreaterThan(Buffer.concat(rig.sent).length - 4 * 2048);
    expect(rig.silenceSamples()).toBe(0);
  });

  it('does not flow before an encoder takes something', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.sink.writable = false;
    rig.stream(20, 100);
    expect(rig.pacer.phase).toBe('prebuffering');
    rig.sink.writable = true;
    rig.pacer.service(rig.clock.nowMs());
    expect(rig.pacer.phase).toBe('flowing');
    rig.stream(20, 50);
    expect(rig.audio.equals(Buffer.concat(rig.sent).subarray(0, rig.audio.length))).toBe(true);
    expect(rig.silenceSamples()).toBe(0);
    expect(rig.buffer.bufferedMs).toBeLessThan(80);
  });

  it('owes no silence for the audio that it could not take while no encoder was there', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 50);
    rig.sink.writable = false;
    rig.stream(20, 100);
    // The creator was refused for 10 s: the buffer was full.
    rig.until(13_000);
    rig.sink.writable = true;
    rig.pacer.service(rig.clock.nowMs());
    rig.until(13_200);
    expect(rig.silenceSamples() / 48).toBeLessThan(400);
    rig.stream(20, 50);
    rig.until(15_000);
    expect(rig.audio.equals(Buffer.concat(rig.sent))).toBe(true);
  });

  it('does not make up for a stall of its own event loop with silence', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 50);
    rig.until(2_000);
    const before = rig.silenceSamples();
    rig.pause(30_000);
    rig.until(32_200);
    expect((rig.silenceSamples() - before) / 48).toBeLessThan(400);
  });

  it('finds back when the creator goes on with another clock', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 50 * 60 * 4, () => 0, 1 + 300 / 1e6);
    rig.stream(20, 50 * 60 * 12);
    expect(Math.abs(rig.pacer.driftPpm)).toBeLessThan(10);
    expect(rig.silenceSamples()).toBe(0);
    expect(rig.buffer.bufferedMs).toBeLessThan(90);
  });

  it.each([300, -300, 100])('follows a creator’s clock that is %d ppm off, sample by sample', (ppm) => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 50 * 60 * 6, () => 0, 1 + ppm / 1e6);
    expect(rig.silenceSamples()).toBe(0);
    expect(Math.abs(rig.pacer.driftPpm - ppm)).toBeLessThan(30);
    expect(rig.buffer.bufferedMs).toBeLessThan(80);
    expect(rig.audio.equals(Buffer.concat(rig.sent).subarray(0, rig.audio.length))).toBe(true);
  });

  it('sees no drift in jitter, in bursts or in a creator that sends early', () => {
    const jittery = new Rig({ prebufferMs: 60 });
    let state = 99;
    jittery.stream(20, 50 * 180, () => (state = (state * 48_271) % 2_147_483_647) % 40);
    expect(jittery.pacer.driftPpm).toBe(0);
    const early = new Rig({ prebufferMs: 60 });
    early.stream(500, 300, () => 0, 1.08);
    expect(early.pacer.driftPpm).toBe(0);
  });

  it('does not take a stall of its own event loop for an underrun: the audio may lie in the sockets', () => {
    const rig = new Rig({ prebufferMs: 0 });
    rig.stream(20, 50);
    const stalledMs = rig.nowMs;
    rig.pause(200);
    for (let n = 0; n < 10; n += 1) rig.arrive(20);
    rig.stream(20, 50);
    expect(rig.nowMs).toBeGreaterThan(stalledMs + 1_000);
    expect(rig.silenceSamples()).toBe(0);
  });

  it('lets a creator that posts chunk after chunk catch up after a stall, a round trip before each', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 50);
    rig.pause(2_000);
    // What it could not send, and what has come due meanwhile, in 360 ms.
    for (let n = 0; n < 120; n += 1) {
      rig.until(rig.nowMs + 3);
      rig.arrive(20);
    }
    rig.stream(20, 50);
    expect(rig.silenceSamples()).toBe(0);
    expect(rig.audio.equals(Buffer.concat(rig.sent).subarray(0, rig.audio.length))).toBe(true);
  });

  it('waits for half a second after a stall, and no longer', () => {
    const rig = new Rig({ prebufferMs: 60 });
    rig.stream(20, 50);
    const before = rig.silenceSamples();
    rig.pause(2_000);
    const stalledMs = rig.nowMs;
    rig.until(stalledMs + 450);
    expect(rig.silenceSamples()).toBe(before);
    rig.until(stalledMs + 700);
    expect(rig.silenceSamples()).toBeGreaterThan(before);
  });

  it('counts silence in frames of the creator’s rate', () => {
    const rig = new Rig({
      prebufferMs: 0,
      format: { sampleFormat: 's16le', sampleRate: 44_100, channels: 1 },
    });
    rig.arrive(100);
    rig.until(2_000);
    expect(rig.silenceSamples() % 941).toBe(0);
    expect(rig.silenceSamples()).toBeGreaterThan(44_100 * 1.8);
  });
});
