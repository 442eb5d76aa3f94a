import type { Fault } from './fault';
import { asWithSrs, isFaultWithSrs } from './with-srs';

const FAULT: Fault = {
  ...{ name: 'a fault', vibeId: 'victim', inject: () => Promise.reject(new Error('never')) },
  price: { lost: 0, stallMs: 500 },
};

describe('a fault with SRS as the media server', () => {
  it('costs what it costs without, where no encoder starts again', () => {
    expect(asWithSrs(FAULT)).toEqual({ ...FAULT, price: { lost: 0, stallMs: 500, reconnects: 0 } });
  });

  it('may cost three AAC frames that nobody can account for, and a reconnect, at each end of an encoder', () => {
    const { price, account } = asWithSrs({ ...FAULT, price: { lost: 0, stallMs: 500, restarts: 2 } });
    expect(price).toEqual({ lost: 6_144, stallMs: 500, restarts: 2, reconnects: 2 });
    expect(account).toMatchObject({ within: 6_144, because: expect.stringContaining('SRS') as string });
  });

  it('costs what it says, with its reason', () => {
    const own = { price: { lost: 9, restarts: 1 }, account: { within: 7, because: 'so' }, because: 'so' };
    const { price, account } = asWithSrs({ ...FAULT, hitsAll: true, withSrs: own });
    expect(price).toEqual({ lost: 9 + 3_072, stallMs: 500, restarts: 1, reconnects: 1 });
    expect(account).toEqual({ within: 7 + 2 * 3_072, because: 'so' });
  });

  it('may be none', () => {
    expect(isFaultWithSrs(FAULT)).toBe(true);
    expect(isFaultWithSrs({ ...FAULT, withSrs: { isNone: 'why' } })).toBe(false);
  });
});
