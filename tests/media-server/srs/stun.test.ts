import { createHmac } from 'node:crypto';
import { bindingRequest } from '../../../src/media-server/srs/stun';

function attributes(message: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 20; at < message.length;) {
    const length = message.readUInt16BE(at + 2);
    found.set(message.readUInt16BE(at), message.subarray(at + 4, at + 4 + length));
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return found;
}

describe('a binding request', () => {
  const message = bindingRequest('theirs:ours', 'password');
  const found = attributes(message);

  it('is STUN, and as long as it says', () => {
    expect([message.readUInt16BE(0), message.readUInt32BE(4)]).toEqual([1, 0x2112a442]);
    expect(message.readUInt16BE(2)).toBe(message.length - 20);
  });

  it('names both sides, and decides as the side that may', () => {
    expect(found.get(0x0006)?.toString()).toBe('theirs:ours');
    expect(found.get(0x802a)).toHaveLength(8);
    expect(found.get(0x0025)).toHaveLength(0);
    expect(found.get(0x0024)).toHaveLength(4);
  });

  it('is signed with the other side’s password, over all that stands before', () => {
    const signed = message.subarray(0, message.length - 24);
    expect(found.get(0x0008)).toEqual(createHmac('sha1', 'password').update(signed).digest());
  });

  it('is another one each time', () => {
    expect(bindingRequest('a:b', 'c').subarray(8, 20)).not.toEqual(
      bindingRequest('a:b', 'c').subarray(8, 20),
    );
  });
});
