import { parseRtp } from '../../../src/media-server/srs/rtp';
import { rtp } from '../../helpers/rtp';

const OPUS = Buffer.from([0xfc, 1, 2, 3]);

describe('a datagram of RTP', () => {
  it('gives its number, its time and what it carries', () => {
    expect(parseRtp(rtp({ sequence: 65_535, timestamp: 4_294_967_295, payload: OPUS }))).toEqual({
      sequence: 65_535,
      timestamp: 4_294_967_295,
      payload: OPUS,
    });
  });

  it('may name sources, carry extensions and be padded', () => {
    const sources = Buffer.alloc(8);
    const extension = Buffer.from([0xbe, 0xde, 0, 1, 0x10, 0x7f, 0, 0]);
    const padding = Buffer.from([0, 0, 3]);
    const datagram = rtp({ payload: Buffer.concat([sources, extension, OPUS, padding]) });
    datagram[0] = 0x80 | 0x20 | 0x10 | 2;
    expect(parseRtp(datagram)?.payload).toEqual(OPUS);
  });

  it('may be padding alone: a browser tries how much the network carries', () => {
    const datagram = rtp({ payload: Buffer.from([0, 0, 0, 4]) });
    datagram[0] = 0xa0;
    expect(parseRtp(datagram)?.payload).toHaveLength(0);
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['half a header', rtp({ payload: OPUS }).subarray(0, 11)],
    ['STUN', Buffer.from('0101000021 12a442000000000000000000000000'.replace(' ', ''), 'hex')],
    ['a sender report', Buffer.concat([Buffer.from([0x80, 200]), Buffer.alloc(26)])],
    ['an extension that never comes', Buffer.concat([Buffer.from([0x90]), Buffer.alloc(12)])],
    ['more padding than there is', Buffer.concat([Buffer.from([0xa0]), Buffer.alloc(11), Buffer.from([9])])],
  ])('is not %s', (_what, datagram) => {
    expect(parseRtp(datagram)).toBeUndefined();
  });
});
