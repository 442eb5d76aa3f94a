import { OggOpus } from '../../../src/media-server/srs/ogg-opus';

describe('Opus in Ogg', () => {
  it('begins with the two headers of RFC 7845', () => {
    const header = new OggOpus().header();
    expect(header.subarray(0, 4).toString()).toBe('OggS');
    expect(header[5]).toBe(2);
    const head = header.subarray(28, 28 + 19);
    expect(head.subarray(0, 8).toString()).toBe('OpusHead');
    expect([head[9], head.readUInt16LE(10), head.readUInt32LE(12)]).toEqual([2, 0, 48_000]);
    expect(
      header
        .subarray(28 + 19 + 28)
        .subarray(0, 8)
        .toString(),
    ).toBe('OpusTags');
  });

  it('has a page for each packet, with the time at its end', () => {
    const ogg = new OggOpus();
    ogg.header();
    const pages = [ogg.packet(Buffer.from([0xfc, 1])), ogg.packet(Buffer.from([0xfc, 2]))];
    expect(pages.map((page) => page.readBigUInt64LE(6))).toEqual([960n, 1_920n]);
    expect(pages.map((page) => page.readUInt32LE(18))).toEqual([2, 3]);
  });

  it.each([0, 254, 255, 256, 510, 1_275])('says where a packet of %d bytes ends', (length) => {
    const packet = Buffer.alloc(length, 0xfc);
    const page = new OggOpus().packet(packet);
    const segments = page[26] as number;
    const lengths = [...page.subarray(27, 27 + segments)];
    expect(lengths.reduce((sum, one) => sum + one, 0)).toBe(length);
    expect(lengths.slice(0, -1).every((one) => one === 255)).toBe(true);
    expect(lengths.at(-1)).toBeLessThan(255);
    expect(page.subarray(27 + segments)).toEqual(packet);
  });

  it('carries the checksum of RFC 3533', () => {
    const header = new OggOpus().header();
    const page = Buffer.from(header.subarray(0, 28 + 19));
    const said = page.readUInt32LE(22);
    page.writeUInt32LE(0, 22);
    let checksum = 0;
    for (const byte of page)
      for (let bit = 7; bit >= 0; bit -= 1) {
        const top = (checksum >>> 31) ^ ((byte >> bit) & 1);
        checksum = ((checksum << 1) ^ (top ? 0x04c11db7 : 0)) >>> 0;
      }
    expect(said).toBe(checksum);
  });
});
