import fc from 'fast-check';
import {
  aacFrame,
  adtsFrame,
  FLV_HEADER,
  FlvParser,
  flvTag,
  type FlvTag,
  isAacConfig,
  setTimestamp,
} from '../../src/media-server/flv';
import { splitAdts } from '../helpers/adts';

const tags = fc.array(
  fc.record({
    type: fc.constantFrom(8 as const, 9 as const, 18 as const),
    timestampMs: fc.integer({ min: 0, max: 0xffff_ffff }),
    body: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 12 },
);

function parse(pieces: readonly Buffer[]): { flags: number[]; tags: FlvTag[] } {
  const heard = { flags: [] as number[], tags: [] as FlvTag[] };
  const parser = new FlvParser({
    onHeader: (flags) => heard.flags.push(flags),
    onTag: (tag) => heard.tags.push({ ...tag, body: Buffer.from(tag.body) }),
  });
  for (const piece of pieces) parser.push(piece);
  return heard;
}

/** Cuts bytes into pieces of the given lengths, over and over. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] as number;
    pieces.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return pieces;
}

describe('an FLV stream', () => {
  it('is read back as it was written, in whatever pieces it arrives', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(tags, lengths, (written, pieces) => {
        const stream = Buffer.concat([
          FLV_HEADER,
          ...written.map((tag) => flvTag(tag.type, tag.timestampMs, tag.body)),
        ]);
        expect(parse(cut(stream, pieces))).toEqual({ flags: [4], tags: written });
      }),
    );
  });

  it('tells a tag with its last byte, not later', () => {
    const stream = Buffer.concat([FLV_HEADER, flvTag(8, 21, Buffer.from([0xaf, 1, 7]))]);
    expect(parse([stream.subarray(0, -1)]).tags).toHaveLength(0);
    expect(parse([stream]).tags).toHaveLength(1);
  });

  it('may have a longer header', () => {
    const header = Buffer.from([...Buffer.from('FLV'), 1, 5, 0, 0, 0, 12, 1, 2, 3, 0, 0, 0, 0]);
    expect(parse([header, flvTag(18, 0, Buffer.from('x'))])).toMatchObject({
      flags: [5],
      tags: [{ type: 18 }],
    });
  });

  it('refuses what is no FLV', () => {
    expect(() => parse([Buffer.from('<html><body>')])).toThrow('not an FLV stream');
    expect(() => parse([Buffer.from([...Buffer.from('FLV'), 1, 4, 0xff, 0xff, 0xff, 0xff])])).toThrow(
      'not an FLV stream',
    );
  });

  it('refuses a tag of a type that FLV does not have', () => {
    const broken = flvTag(8, 0, Buffer.alloc(3));
    broken[0] = 77;
    expect(() => parse([FLV_HEADER, broken])).toThrow('type 77');
  });
});

describe('an FLV tag', () => {
  it('carries its length, its time and its trailing size where the format wants them', () => {
    const tag = flvTag(8, 0x12_3456_78, Buffer.from([0xaf, 1]));
    expect(tag.toString('hex')).toBe('08' + '000002' + '345678' + '12' + '000000' + 'af01' + '0000000d');
  });

  it('can be given another time', () => {
    const tag = flvTag(8, 1, Buffer.from([0xaf, 1]));
    setTimestamp(tag, 0xfedc_ba98);
    expect(parse([FLV_HEADER, tag]).tags[0]?.timestampMs).toBe(0xfedc_ba98);
  });
});

describe('an audio tag’s body', () => {
  it('is a configuration, or a frame behind two bytes', () => {
    expect(isAacConfig(Buffer.from([0xaf, 0, 0x11, 0x90]))).toBe(true);
    expect(isAacConfig(Buffer.from([0xaf, 1, 0x11, 0x90]))).toBe(false);
    expect(isAacConfig(Buffer.from([0x2f, 0]))).toBe(false);
    expect(isAacConfig(Buffer.from([0xaf]))).toBe(false);
    expect(aacFrame(Buffer.from([0xaf, 1, 5, 6]))).toEqual(Buffer.from([5, 6]));
  });

  it('becomes an ADTS frame: AAC-LC, 48 kHz, stereo', () => {
    const raws = [1, 7, 8, 350, 8184].map((length) => Buffer.alloc(length, length & 0xff));
    const adts = Buffer.concat(raws.map((raw) => adtsFrame(raw)));
    expect(splitAdts(adts)).toEqual(raws);
    expect(adts.subarray(0, 7).toString('hex')).toBe('fff14c80011ffc');
  });
});
