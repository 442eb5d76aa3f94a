import { EncoderPatience } from '../../src/vibes/encoder-patience';
import { FakeClock } from '../helpers/fake-clock';

function setUp() {
  const clock = new FakeClock();
  const ends: string[] = [];
  return { clock, ends, patience: new EncoderPatience(clock, (why) => ends.push(why)) };
}

describe('the patience with an encoder', () => {
  it('is over two minutes after it went down, however often it tried in between', () => {
    const { clock, ends, patience } = setUp();
    patience.encoderMoved('backoff', 'killed');
    for (let n = 0; n < 11; n += 1) {
      clock.advance(10_000);
      patience.encoderMoved('starting', 'retry');
      patience.encoderMoved('failed', 'crashed');
    }
    expect(ends).toEqual([]);
    clock.advance(10_000);
    expect(ends).toEqual(['killed']);
  });

  it('begins anew with an encoder that ran', () => {
    const { clock, ends, patience } = setUp();
    patience.encoderMoved('backoff', 'killed');
    clock.advance(119_000);
    patience.encoderMoved('running', 'progress');
    clock.advance(119_000);
    patience.encoderMoved('backoff', 'killed');
    clock.advance(119_000);
    expect(ends).toEqual([]);
    patience.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
