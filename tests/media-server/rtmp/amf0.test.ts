import fc from 'fast-check';
import { type AmfValue, decodeAmf0, encodeAmf0, encodeAmf0Script } from '../../../src/media-server/rtmp/amf0';

const { value } = fc.letrec<{ value: AmfValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.double(),
    fc.boolean(),
    fc.string(),
    fc.constant(null),
    fc.constant(undefined),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ minLength: 1 }), tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
}));

describe('AMF0', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        expect(decodeAmf0(encodeAmf0(...values))).toEqual(values);
      }),
    );
  });

  it('carries metadata as an ECMA array', () => {
    const script = encodeAmf0Script('onMetaData', { stereo: true, audiocodecid: 10 });
    expect(script[13]).toBe(8);
    expect(script.readUInt32BE(14)).toBe(2);
    expect(decodeAmf0(script)).toEqual(['onMetaData', { stereo: true, audiocodecid: 10 }]);
  });

  it('of any bytes is either read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeAmf0(Buffer.from(bytes));
        } catch (error) {
          expect((error as Error).message).toMatch(/AMF0/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('may not nest without end', () => {
    const deep = Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.from([3, 0, 1, 0x61])));
    expect(() => decodeAmf0(deep)).toThrow('nests too deep');
  });

  it('has no members with powers', () => {
    const bytes = Buffer.from([3, 0, 9, ...Buffer.from('__proto__'), 3, 0, 1, 0x61, 1, 1, 0, 0, 9, 0, 0, 9]);
    const [object] = decodeAmf0(bytes);
    expect(Object.keys(object as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });
});
