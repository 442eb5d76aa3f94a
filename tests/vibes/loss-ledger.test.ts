import type { EncoderExit } from '../../src/encoder/encoder';
import { LossLedger } from '../../src/vibes/loss-ledger';
import { FakeClock } from '../helpers/fake-clock';

function exit(samplesFed: number, outTimeUs = 0): EncoderExit {
  return {
    reason: 'killed',
    exitCode: null,
    signal: 'SIGKILL',
    samplesFed,
    outTimeUs,
    token: 't',
    stderr: [],
  };
}

function setUp(sampleRate = 48_000) {
  const clock = new FakeClock();
  const losses: number[] = [];
  const ledger = new LossLedger(clock, sampleRate, (samples) => losses.push(samples));
  ledger.begins('t');
  return { clock, losses, ledger };
}

describe('the loss ledger', () => {
  it('sets what was published against what was fed, whichever witness comes first', () => {
    const early = setUp();
    early.ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 11 });
    early.ledger.exited(exit(12_000));
    const late = setUp();
    late.ledger.exited(exit(12_000));
    late.ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 11 });
    expect([early.losses, late.losses]).toEqual([[12_000 - 10 * 1024], [12_000 - 10 * 1024]]);
    expect(late.clock.pendingTimers).toBe(0);
  });

  it('counts no loss where everything was published, the padding of the last frame included', () => {
    const { losses, ledger } = setUp();
    ledger.exited(exit(10_000));
    ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 11 });
    expect(losses).toEqual([]);
  });

  it('counts in samples of the creator’s rate', () => {
    const { losses, ledger } = setUp(24_000);
    ledger.exited(exit(12_000));
    ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 11 });
    expect(losses).toEqual([12_000 - 5 * 1024]);
  });

  it('believes FFmpeg’s own progress where the media server says nothing', () => {
    const { clock, losses, ledger } = setUp();
    ledger.exited(exit(48_000, 900_000));
    clock.advance(5_000);
    expect(losses).toEqual([4_800]);
  });

  it('believes FFmpeg’s own progress where the media server counts no audio, without waiting for more', () => {
    const { clock, losses, ledger } = setUp();
    ledger.exited(exit(48_000, 900_000));
    ledger.unpublished({ vibeId: 'v', token: 't' });
    expect([losses, clock.pendingTimers]).toEqual([[4_800], 0]);
  });

  it('believes the media server’s last count where it does not say the end, and FFmpeg has told of less', () => {
    const { clock, losses, ledger } = setUp();
    ledger.received('t', 41);
    ledger.exited(exit(48_000, 500_000));
    clock.advance(5_000);
    expect(losses).toEqual([48_000 - 40 * 1024]);
  });

  it('settles a life by what is known when the next one begins', () => {
    const { clock, losses, ledger } = setUp();
    ledger.exited(exit(48_000, 900_000));
    expect(ledger.isOpen).toBe(true);
    ledger.begins('next');
    expect([losses, ledger.isOpen, clock.pendingTimers]).toEqual([[4_800], false, 0]);
  });

  it('takes no news of a life that is settled, nor of one that never began here', async () => {
    const { losses, ledger } = setUp();
    ledger.exited(exit(48_000, 900_000));
    ledger.begins('next');
    ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 3 });
    ledger.unpublished({ vibeId: 'v', token: 'stranger', aacFrames: 3 });
    ledger.received('stranger', 4);
    ledger.exited({ ...exit(2_000), token: 'next' });
    ledger.unpublished({ vibeId: 'v', token: 'next', aacFrames: 2 });
    expect([losses, ledger.isOpen]).toEqual([[4_800, 2_000 - 1_024], false]);
    await ledger.close();
  });

  it('takes the later word where a media server died before the life reached the next one', () => {
    const { losses, ledger } = setUp();
    ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 0 });
    ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 11 });
    ledger.exited(exit(12_000));
    expect(losses).toEqual([12_000 - 10 * 1024]);
  });

  it('believes the media server that nothing came out, whatever FFmpeg says', () => {
    const { losses, ledger } = setUp();
    ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 0 });
    ledger.exited(exit(48_000, 900_000));
    expect(losses).toEqual([48_000]);
  });

  it('settles at once what was never fed, and what ended as it was asked to', () => {
    const { clock, losses, ledger } = setUp();
    ledger.exited(exit(0));
    ledger.exited({ ...exit(48_000, 1_000_000), token: 'other', reason: 'ended' });
    expect(losses).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes a millisecond for nothing where FFmpeg ended as it was asked to: its progress knows no less', () => {
    const rounded = setUp();
    rounded.ledger.exited({ ...exit(48_032, 1_000_000), reason: 'ended' });
    rounded.ledger.begins('other');
    rounded.ledger.unpublished({ vibeId: 'v', token: 'other' });
    rounded.ledger.exited({ ...exit(48_032, 1_000_000), token: 'other', reason: 'ended' });
    const cut = setUp();
    cut.ledger.exited({ ...exit(48_049, 1_000_000), reason: 'ended' });
    expect([rounded.losses, cut.losses]).toEqual([[], [49]]);
  });

  it('waits for the media server’s word on the last life when it is closed', async () => {
    const { clock, losses, ledger } = setUp();
    ledger.exited(exit(12_000));
    const closed = ledger.close();
    ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 11 });
    await closed;
    expect(losses).toEqual([12_000 - 10 * 1024]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('closes without it where it does not come, and at once where nothing is open', async () => {
    const { clock, losses, ledger } = setUp();
    ledger.exited(exit(48_000, 900_000));
    const closed = ledger.close();
    clock.advance(5_000);
    await closed;
    expect(losses).toEqual([4_800]);
    const idle = setUp();
    idle.ledger.unpublished({ vibeId: 'v', token: 't', aacFrames: 11 });
    await idle.ledger.close();
    expect(idle.losses).toEqual([]);
  });
});
