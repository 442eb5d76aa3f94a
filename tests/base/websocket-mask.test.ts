import http from 'node:http';
import { unmask } from '../../src/base/websocket-mask';
import { seededRandom } from '../helpers/music';

type Mask = (source: Buffer, key: Buffer, output: Buffer, offset: number, length: number) => void;

describe('the masking of WebSocket frames', () => {
  const random = seededRandom(5);
  const someBytes = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
  const masked = (bytes: Buffer, key: Buffer): Buffer =>
    Buffer.from(bytes.map((byte, at) => byte ^ (key[at & 3] as number)));

  it.each([0, 1, 2, 3, 4, 5, 7, 8, 23, 24, 3_840, 3_841])(
    'takes %d bytes byte by byte at every address, and leaves their neighbours alone',
    (length) => {
      for (let address = 0; address < 8; address += 1) {
        const key = someBytes(4);
        const memory = someBytes(length + 16);
        const before = Buffer.from(memory);
        const bytes = memory.subarray(address, address + length);
        const wanted = masked(bytes, key);
        unmask(bytes, key);
        expect(bytes.equals(wanted)).toBe(true);
        expect(memory.subarray(0, address).equals(before.subarray(0, address))).toBe(true);
        expect(memory.subarray(address + length).equals(before.subarray(address + length))).toBe(true);
      }
    },
  );

  it('is where ws looks for it', () => {
    const { websocketMask, websocketUnmask } = http as unknown as {
      websocketMask: Mask;
      websocketUnmask: (bytes: Buffer, key: Buffer) => void;
    };
    const [key, source, output] = [someBytes(4), someBytes(50), Buffer.alloc(60)];
    websocketMask(source, key, output, 7, 50);
    expect(output.subarray(7, 57).equals(masked(source, key))).toBe(true);
    websocketUnmask(output.subarray(7, 57), key);
    expect(output.equals(Buffer.concat([Buffer.alloc(7), source, Buffer.alloc(3)]))).toBe(true);
  });
});
