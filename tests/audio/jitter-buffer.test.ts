import fc from 'fast-check';
import { JitterBuffer } from '../../src/audio/jitter-buffer';
import type { Problem } from '../../src/base/errors';
import { codeOf } from '../helpers/code-of';

const SAMPLE_BYTES = 4;

function buffer(
  options: { maxSamples?: number; reorderWindow?: number; onMissing?: (n: number) => void } = {},
) {
  return new JitterBuffer({
    sampleBytes: SAMPLE_BYTES,
    sampleRate: 48_000,
    maxSamples: 1_000_000,
    ...options,
  });
}

/** A chunk whose every sample names itself. */
function chunk(first: number, samples: number): Buffer {
  const bytes = Buffer.alloc(samples * SAMPLE_BYTES);
  for (let i = 0; i < samples; i += 1) bytes.writeUInt32LE(first + i, i * SAMPLE_BYTES);
  return bytes;
}

function names(taken: Buffer[]): number[] {
  const bytes = Buffer.concat(taken);
  return Array.from({ length: bytes.length / SAMPLE_BYTES }, (_, i) => bytes.readUInt32LE(i * SAMPLE_BYTES));
}

describe('a jitter buffer', () => {
  it('gives samples in the order in which chunks without a number came', () => {
    const jitter = buffer();
    jitter.push(chunk(0, 3));
    jitter.push(chunk(3, 5));
    expect(names(jitter.take(4))).toEqual([0, 1, 2, 3]);
    expect(names(jitter.take(100))).toEqual([4, 5, 6, 7]);
    expect(jitter.take(1)).toEqual([]);
  });

  it('gives views of what was pushed, not copies', () => {
    const jitter = buffer();
    const bytes = chunk(0, 8);
    jitter.push(bytes);
    expect(jitter.take(4)[0]?.buffer).toBe(bytes.buffer);
  });

  it('counts what it holds, in samples and in milliseconds', () => {
    const jitter = buffer({ maxSamples: 48_000 });
    jitter.push(chunk(0, 24_000), 1);
    jitter.push(chunk(0, 12_000), 3);
    expect(jitter).toMatchObject({
      samples: 36_000,
      readySamples: 24_000,
      roomSamples: 12_000,
      bufferedMs: 750,
    });
  });

  it('puts numbers within the window in order', () => {
    const jitter = buffer();
    jitter.push(chunk(0, 2), 7);
    jitter.push(chunk(4, 2), 9);
    expect(jitter.readySamples).toBe(2);
    jitter.push(chunk(2, 2), 8);
    expect(names(jitter.take(10))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(jitter.lastSequence).toBe(9);
  });

  it('puts a number before the first one in order too, while that one has not begun to play', () => {
    const jitter = buffer();
    jitter.push(chunk(2, 2), 1);
    jitter.push(chunk(0, 2), 0);
    expect(names(jitter.take(10))).toEqual([0, 1, 2, 3]);
  });

  it('acknowledges a number that was taken before, and does not play it again', () => {
    const jitter = buffer();
    expect(jitter.push(chunk(0, 2), 0)).toBe('taken');
    expect(jitter.push(chunk(0, 2), 0)).toBe('duplicate');
    jitter.take(2);
    expect(jitter.push(chunk(0, 2), 0)).toBe('duplicate');
    expect(jitter.samples).toBe(0);
  });

  it('refuses a known number with other bytes, for that would be lost audio', () => {
    const jitter = buffer();
    jitter.push(chunk(0, 2), 0);
    expect(codeOf(() => jitter.push(chunk(9, 2), 0))).toBe('sequence-conflict');
    expect(jitter.samples).toBe(2);
  });

  it('waits behind a gap until told to give it up, then says how much is missing', () => {
    const missing: number[] = [];
    const jitter = buffer({ onMissing: (chunks) => missing.push(chunks) });
    jitter.push(chunk(0, 1), 0);
    jitter.push(chunk(3, 1), 3);
    jitter.take(1);
    expect(jitter).toMatchObject({ readySamples: 0, hasGap: true });
    jitter.skipGap();
    expect(missing).toEqual([2]);
    expect(names(jitter.take(1))).toEqual([3]);
  });

  it('counts a number as missing once, though one before it comes after all and leaves the gap again', () => {
    const missing: number[] = [];
    const jitter = buffer({ onMissing: (chunks) => missing.push(chunks) });
    jitter.push(chunk(0, 1), 0);
    jitter.push(chunk(9, 1), 9);
    jitter.skipGap();
    jitter.push(chunk(3, 1), 3);
    jitter.skipGap();
    expect(names(jitter.take(3))).toEqual([0, 3, 9]);
    jitter.push(chunk(12, 1), 12);
    jitter.skipGap();
    expect(missing).toEqual([8, 2]);
  });

  it('refuses a number whose turn is over', () => {
    const jitter = buffer();
    jitter.push(chunk(0, 1), 0);
    jitter.push(chunk(2, 1), 2);
    jitter.skipGap();
    jitter.take(2);
    expect(codeOf(() => jitter.push(chunk(1, 1), 1))).toBe('too-late');
  });

  it('still takes a number that was given up, as long as what follows it has not begun to play', () => {
    const jitter = buffer();
    jitter.push(chunk(0, 1), 0);
    jitter.push(chunk(2, 1), 2);
    jitter.skipGap();
    jitter.push(chunk(1, 1), 1);
    expect(names(jitter.take(3))).toEqual([0, 1, 2]);
  });

  it('goes on at a number far ahead of the window, and counts what was skipped', () => {
    const missing: number[] = [];
    const jitter = buffer({ reorderWindow: 4, onMissing: (chunks) => missing.push(chunks) });
    jitter.push(chunk(0, 1), 0);
    jitter.push(chunk(1, 1), 100);
    expect(names(jitter.take(2))).toEqual([0, 1]);
    expect(missing).toEqual([99]);
  });

  it('refuses a chunk without room for all of it, says when to come back, and changes nothing', () => {
    const jitter = buffer({ maxSamples: 48_000 });
    jitter.push(chunk(0, 40_000));
    let problem: Problem | undefined;
    try {
      jitter.push(chunk(0, 40_000), 5);
    } catch (error) {
      problem = error as Problem;
    }
    expect(problem).toMatchObject({ code: 'buffer-full', extra: { bufferedMs: 833, retryAfterSeconds: 1 } });
    expect(jitter.samples).toBe(40_000);
    jitter.take(40_000);
    expect(jitter.push(chunk(0, 40_000), 5)).toBe('taken');
  });

  it('lets a creator count anew: what is held stays in order, what is counted before is forgotten', () => {
    const jitter = buffer();
    jitter.push(chunk(0, 2), 0);
    jitter.push(chunk(2, 2), 1);
    jitter.push(chunk(4, 2), 3);
    jitter.take(1);
    jitter.restartNumbering();
    jitter.push(chunk(6, 2), 0);
    jitter.push(chunk(8, 2), 1);
    expect(names(jitter.take(100))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(jitter.push(chunk(8, 2), 1)).toBe('duplicate');
  });

  it('says how much it threw away', () => {
    const jitter = buffer();
    jitter.push(chunk(0, 2), 0);
    jitter.push(chunk(0, 3), 5);
    expect(jitter.clear()).toBe(5);
    expect(jitter).toMatchObject({ samples: 0, readySamples: 0, hasGap: false });
  });

  it('plays each accepted sample once and in order, whatever the network does to the chunks', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('arrive' as const), pick: fc.nat(7) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), pick: fc.nat(200) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const), pick: fc.nat(40) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('skip' as const), pick: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), pick: fc.nat(7) }) },
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 300 }),
        fc.integer({ min: 20, max: 400 }),
        (steps, maxSamples) => {
          const jitter = buffer({ maxSamples, reorderWindow: 8 });
          // The model: chunk n is samples 16n … 16n + n mod 16, taken in any order out of the next eight.
          const inFlight: number[] = [];
          let nextNew = 0;
          const accepted = new Set<number>();
          const heard: number[] = [];
          const chunkOf = (n: number): Buffer => chunk(n * 16, 1 + (n % 16));
          const arrive = (n: number): void => {
            const before = jitter.samples;
            const code = codeOf(() => {
              const taken = jitter.push(chunkOf(n), n);
              expect(taken).toBe(accepted.has(n) ? 'duplicate' : 'taken');
              accepted.add(n);
            });
            if (code) {
              expect(['buffer-full', 'too-late']).toContain(code);
              expect(jitter.samples).toBe(before);
            }
          };
          for (const { kind, pick } of steps) {
            while (inFlight.length < 8) inFlight.push(nextNew++);
            if (kind === 'arrive') arrive(inFlight.splice(pick, 1)[0] as number);
            if (kind === 'lose') inFlight.splice(pick, 1);
            if (kind === 'repeat' && accepted.size > 0) arrive([...accepted][pick % accepted.size] as number);
            if (kind === 'take') heard.push(...names(jitter.take(pick)));
            if (kind === 'skip') jitter.skipGap();
            expect(jitter.samples).toBeLessThanOrEqual(maxSamples);
          }
          while (jitter.samples > 0) {
            if (jitter.readySamples === 0) jitter.skipGap();
            heard.push(...names(jitter.take(7)));
          }
          const expected = [...accepted]
            .sort((a, b) => a - b)
            .flatMap((n) => Array.from({ length: 1 + (n % 16) }, (_, i) => n * 16 + i));
          expect(heard).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('a jitter buffer that goes on where another one was', () => {
  const NUMBERED = [0, 1, 2, 3].map((n) => [chunk(n * 10, 10), n] as const);

  function resumed(old: JitterBuffer, onMissing?: (n: number) => void): JitterBuffer {
    return new JitterBuffer({
      ...{ sampleBytes: SAMPLE_BYTES, sampleRate: 48_000, maxSamples: 1_000_000, resumeAt: old.position },
      ...(onMissing && { onMissing }),
    });
  }

  it('tells how far it is played by the number of the last chunk that was begun', () => {
    const jitter = buffer();
    expect(jitter.position).toEqual({ sequence: 0, numbered: false });
    for (const [bytes, n] of NUMBERED) jitter.push(bytes, n + 7);
    expect(jitter.position.numbered).toBe(false);
    jitter.take(10);
    expect(jitter.position).toEqual({ sequence: 7, numbered: true });
    jitter.take(1);
    expect(jitter.position).toEqual({ sequence: 8, numbered: true });
  });

  it('tells how many chunks were begun where they carry no numbers', () => {
    const jitter = buffer();
    for (const [bytes] of NUMBERED) jitter.push(bytes);
    expect([0, 5, 5, 1, 50].map((samples) => (jitter.take(samples), jitter.position.sequence))).toEqual([
      0, 1, 1, 2, 4,
    ]);
    jitter.clear();
    expect(jitter.position).toEqual({ sequence: 4, numbered: false });
  });

  it('knows what was played, and takes what was not, however it was acknowledged', () => {
    const old = buffer();
    for (const [bytes, n] of NUMBERED) old.push(bytes, n);
    old.take(15);
    const next = resumed(old);
    expect(next.lastSequence).toBe(1);
    const became = NUMBERED.map(([bytes, n]) => next.push(bytes, n));
    expect(became).toEqual(['duplicate', 'duplicate', 'taken', 'taken']);
    expect(names(next.take(100))).toEqual(names([chunk(20, 20)]));
  });

  it('puts in order what is sent again, and counts what never is', () => {
    const old = buffer();
    for (const [bytes, n] of NUMBERED) old.push(bytes, n);
    old.take(5);
    let missing = 0;
    const next = resumed(old, (n) => (missing += n));
    next.push(chunk(30, 10), 3);
    expect(next.readySamples).toBe(0);
    next.push(chunk(20, 10), 2);
    next.skipGap();
    expect(names(next.take(100))).toEqual(names([chunk(20, 20)]));
    expect(missing).toBe(1);
  });

  it('goes on counting chunks without numbers', () => {
    const old = buffer();
    for (const [bytes] of NUMBERED) old.push(bytes);
    old.take(15);
    const next = resumed(old);
    expect(next.lastSequence).toBe(2);
    next.push(chunk(20, 10));
    expect(next.lastSequence).toBe(3);
  });

  it('refuses numbers that nobody can be waiting for an answer to: a creator that begins anew must say so', () => {
    const old = buffer();
    for (let n = 0; n < 100; n += 1) old.push(chunk(n, 1), n);
    old.take(100);
    const next = resumed(old);
    expect(codeOf(() => next.push(chunk(0, 1), 0))).toBe('too-late');
    expect(next.push(chunk(0, 1), 99)).toBe('duplicate');
    next.restartNumbering();
    expect(next.push(chunk(0, 1), 99)).toBe('taken');
  });

  it('plays no chunk twice and loses none that its creator still has, wherever the old one stopped', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(sizes, fc.nat(200), fc.nat(40), fc.boolean(), (lengths, played, kept, isNumbered) => {
        const chunks = lengths.map((length, n) => Buffer.alloc(length * SAMPLE_BYTES, n + 1));
        const number = (n: number): [number?] => (isNumbered ? [n] : []);
        const old = buffer();
        chunks.forEach((bytes, n) => old.push(bytes, ...number(n)));
        const heard = new Set(old.take(played).map((bytes) => bytes[0]));
        const next = resumed(old);
        // What a creator still has: with numbers it sends all of it, without it goes by the count.
        const firstKept = Math.max(0, chunks.length - Math.min(kept, 12));
        const from = isNumbered ? firstKept : Math.max(firstKept, next.lastSequence);
        for (let n = from; n < chunks.length; n += 1) next.push(chunks[n] as Buffer, ...number(n));
        next.skipGap();
        const again = next.take(1_000).map((bytes) => bytes[0] as number);
        expect(again.filter((value) => heard.has(value))).toEqual([]);
        const expected = chunks
          .map((_, n) => n + 1)
          .slice(from)
          .filter((value) => !heard.has(value));
        expect([...new Set(again)]).toEqual(expected);
      }),
    );
  });
});
