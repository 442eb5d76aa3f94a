import type { EncoderExit } from '../../src/encoder/encoder';
import { Succession } from '../../src/vibes/succession';
import { FakeClock } from '../helpers/fake-clock';

const SAMPLE_BYTES = 4;
const FRAME = 1_024;

function setUp() {
  const clock = new FakeClock();
  const lost: [samples: number, reason: string][] = [];
  const succession = new Succession({
    ...{ clock, sampleBytes: SAMPLE_BYTES, sampleRate: 48_000 },
    onLost: (samples, { reason }) => lost.push([samples, reason]),
  });
  succession.begins('first');
  return { clock, lost, succession };
}

function frames(count: number, value: number): Buffer {
  return Buffer.alloc(count * FRAME * SAMPLE_BYTES, value);
}

function exit(samplesFed: number, token = 'first', reason = 'killed'): EncoderExit {
  return { reason, exitCode: null, signal: null, samplesFed, outTimeUs: 0, token, stderr: [] };
}

describe('from one encoder’s life to the next', () => {
  it('goes what was not published, once, and before the next one begins it is open', () => {
    const { lost, succession } = setUp();
    succession.fed(frames(4, 1));
    succession.fed(frames(2, 2));
    expect(succession.isOpen).toBe(false);
    succession.exited(exit(6 * FRAME));
    expect(succession.isOpen).toBe(true);
    succession.unpublished({ vibeId: 'v', token: 'first', aacFrames: 4 });
    expect(succession.begins('second')).toBe(3 * FRAME);
    expect(succession.take()).toEqual(Buffer.concat([frames(1, 1), frames(2, 2)]));
    expect([succession.take(), succession.isOpen, lost]).toEqual([undefined, false, []]);
  });

  it('goes over a life that was never fed', () => {
    const { lost, succession } = setUp();
    succession.fed(frames(2, 1));
    succession.exited(exit(2 * FRAME));
    for (const token of ['unborn', 'stillborn']) {
      expect(succession.begins(token)).toBe(2 * FRAME);
      succession.exited(exit(0, token, 'spawn-failed'));
    }
    expect(succession.begins('last')).toBe(2 * FRAME);
    expect([succession.take(), lost]).toEqual([frames(2, 1), []]);
  });

  it('goes nothing where everything was published', () => {
    const { succession } = setUp();
    succession.fed(frames(2, 1));
    succession.exited(exit(2 * FRAME));
    succession.unpublished({ vibeId: 'v', token: 'first', aacFrames: 3 });
    expect([succession.isOpen, succession.begins('second'), succession.take()]).toEqual([
      false,
      0,
      undefined,
    ]);
  });

  it('goes nothing where no next one will be: it is lost, with the reason of the death', async () => {
    const owed = setUp();
    owed.succession.fed(frames(2, 1));
    owed.succession.exited(exit(2 * FRAME, 'first', 'crashed'));
    owed.succession.unpublished({ vibeId: 'v', token: 'first', aacFrames: 2 });
    owed.succession.stop();
    await owed.succession.close();
    expect(owed.lost).toEqual([[FRAME, 'crashed']]);

    const last = setUp();
    last.succession.fed(frames(2, 1));
    last.succession.stop();
    last.succession.exited(exit(2 * FRAME, 'first', 'cut-short'));
    const closed = last.succession.close();
    last.succession.unpublished({ vibeId: 'v', token: 'first', aacFrames: 2 });
    await closed;
    expect(last.lost).toEqual([[FRAME, 'cut-short']]);
  });

  it('goes what is left of it where the rest is too long ago, and that is lost', () => {
    const { lost, succession } = setUp();
    for (let count = 0; count < 200; count += 1) succession.fed(frames(1, 1));
    succession.exited(exit(200 * FRAME));
    const owed = succession.begins('second');
    expect(owed).toBeLessThan(200 * FRAME);
    expect(lost).toEqual([[200 * FRAME - owed, 'killed']]);
  });
});
