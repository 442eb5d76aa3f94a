import { mpegCrc32, TS_PACKET_BYTES, TsMuxer } from '../../../src/media-server/embedded/mpeg-ts';

interface Packet {
  readonly pid: number;
  readonly starts: boolean;
  readonly counter: number;
  readonly adaptation: Buffer | undefined;
  readonly payload: Buffer;
}

/** Takes a transport stream apart by the letter of ISO/IEC 13818-1, without looking at how it was made. */
function packetsOf(stream: Buffer): Packet[] {
  expect(stream.length % TS_PACKET_BYTES).toBe(0);
  const packets: Packet[] = [];
  for (let at = 0; at < stream.length; at += TS_PACKET_BYTES) {
    const packet = stream.subarray(at, at + TS_PACKET_BYTES);
    expect(packet[0]).toBe(0x47);
    const flags = packet.readUInt8(3);
    const hasAdaptation = (flags & 0x20) !== 0;
    const adaptationBytes = hasAdaptation ? 1 + packet.readUInt8(4) : 0;
    expect(flags & 0x10).toBe(0x10);
    packets.push({
      pid: packet.readUInt16BE(1) & 0x1fff,
      starts: (packet.readUInt8(1) & 0x40) !== 0,
      counter: flags & 0x0f,
      adaptation: hasAdaptation ? packet.subarray(5, 4 + adaptationBytes) : undefined,
      payload: packet.subarray(4 + adaptationBytes),
    });
  }
  return packets;
}

function timeStamp(bytes: Buffer): number {
  const high = (bytes.readUInt8(0) >> 1) & 7;
  return high * 2 ** 30 + (bytes.readUInt16BE(1) >> 1) * 2 ** 15 + (bytes.readUInt16BE(3) >> 1);
}

function clockReference(adaptation: Buffer): number {
  return adaptation.readUInt32BE(1) * 2 + (adaptation.readUInt8(5) >> 7);
}

describe('the checksum of transport stream tables', () => {
  it('is MPEG’s CRC-32', () => {
    expect(mpegCrc32(Buffer.from('123456789'))).toBe(0x0376_e6e7);
  });
});

describe('the tables of a transport stream', () => {
  const [pat, pmt] = packetsOf(new TsMuxer().tables());

  it('name one program', () => {
    expect(pat).toMatchObject({ pid: 0, starts: true });
    const section = pat?.payload.subarray(1, 1 + 16) as Buffer;
    expect(section.toString('hex', 0, 12)).toBe('00b00d0001c100000001f000');
    expect(section.readUInt32BE(12)).toBe(mpegCrc32(section.subarray(0, 12)));
  });

  it('name one stream, AAC in ADTS, which carries the clock', () => {
    expect(pmt).toMatchObject({ pid: 0x1000, starts: true });
    const section = pmt?.payload.subarray(1, 1 + 21) as Buffer;
    expect(section.toString('hex', 0, 17)).toBe('02b0120001c10000e100f0000fe100f000');
    expect(section.readUInt32BE(17)).toBe(mpegCrc32(section.subarray(0, 17)));
  });
});

describe('audio in a transport stream', () => {
  it('comes out as it went in, at every length that stuffing can meet', () => {
    const muxer = new TsMuxer();
    for (let length = 1; length <= 2 * TS_PACKET_BYTES + 20; length += 1) {
      const frames = Buffer.alloc(length, length & 0x7f);
      const packets = packetsOf(muxer.pes(frames, 0));
      const pes = Buffer.concat(packets.map((packet) => packet.payload));
      expect(pes.toString('hex', 0, 4)).toBe('000001c0');
      expect(pes.readUInt16BE(4)).toBe(pes.length - 6);
      expect(pes.subarray(9 + pes.readUInt8(8)).equals(frames)).toBe(true);
      expect(packets.map((packet) => packet.starts)).toEqual(packets.map((_, index) => index === 0));
      for (const { adaptation } of packets.slice(1))
        if (adaptation && adaptation.length > 0) expect(adaptation[0]).toBe(0);
    }
  });

  it('counts its packets without a gap, over tables and PES packets', () => {
    const muxer = new TsMuxer();
    const stream = Buffer.concat(
      Array.from({ length: 12 }, (_, index) => [muxer.tables(), muxer.pes(Buffer.alloc(1400), index)]).flat(),
    );
    const next = new Map<number, number>();
    for (const { pid, counter } of packetsOf(stream)) {
      expect(counter).toBe(next.get(pid) ?? 0);
      next.set(pid, (counter + 1) % 16);
    }
    expect([...next.keys()]).toEqual([0, 0x1000, 0x100]);
  });

  it('is due when it was said to be, 0.7 s after the clock reference beside it', () => {
    const muxer = new TsMuxer();
    for (const ticks of [0, 1920, 3840, 2 ** 31, 2 ** 32 + 12_345]) {
      const [first] = packetsOf(muxer.pes(Buffer.alloc(300), ticks));
      const pts = timeStamp((first?.payload as Buffer).subarray(9, 14));
      expect(pts).toBe(ticks + 126_000);
      expect((first?.adaptation as Buffer)[0]).toBe(0x50);
      expect(clockReference(first?.adaptation as Buffer)).toBe(pts - 63_000);
    }
  });

  it('goes on past the 33 bits of a time stamp, after 26.5 hours', () => {
    const [first] = packetsOf(new TsMuxer().pes(Buffer.alloc(300), 2 ** 33 - 126_000 + 7));
    expect(timeStamp((first?.payload as Buffer).subarray(9, 14))).toBe(7);
    expect(clockReference(first?.adaptation as Buffer)).toBe(2 ** 33 - 63_000 + 7);
  });
});
