import { HlsStream } from '../../../src/media-server/embedded/hls-stream';
import { FakeClock } from '../../helpers/fake-clock';

const LC_48K = { adts: { objectType: 2, rateIndex: 3, channels: 2 }, sampleRate: 48_000, frameSamples: 1024 };
const LC_44K = { adts: { objectType: 2, rateIndex: 4, channels: 2 }, sampleRate: 44_100, frameSamples: 1024 };
/** 93 frames of 1024 samples at 48 kHz: 1.984 s. */
const SEGMENT_FRAMES = 93;

class Fixture {
  readonly clock = new FakeClock();
  readonly hls = new HlsStream({ vibeId: 'demo', stamp: 'k3', firstSequence: 700, clock: this.clock });
  #frame = 0;

  constructor() {
    this.hls.setConfig(LC_48K);
  }

  add(frames: number): void {
    for (let frame = 0; frame < frames; frame += 1) {
      this.hls.add(Buffer.alloc(340, this.#frame & 0xff), this.#frame * 1920);
      this.#frame += 1;
    }
  }

  get lines(): string[] {
    return this.hls.playlist()?.split('\n') ?? [];
  }

  get uris(): string[] {
    return this.lines.filter((line) => line !== '' && !line.startsWith('#'));
  }

  value(tag: string): string | undefined {
    return this.lines.find((line) => line.startsWith(`#${tag}:`))?.slice(tag.length + 2);
  }
}

describe('an HLS stream', () => {
  it('has no playlist before its first segment is whole', () => {
    const fixture = new Fixture();
    fixture.add(SEGMENT_FRAMES - 1);
    expect(fixture.hls.playlist()).toBeUndefined();
    fixture.add(1);
    expect(fixture.hls.playlist()).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:3',
        '#EXT-X-TARGETDURATION:2',
        '#EXT-X-MEDIA-SEQUENCE:700',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        `#EXT-X-PROGRAM-DATE-TIME:${new Date(fixture.clock.epochMs()).toISOString()}`,
        '#EXTINF:1.984000,',
        'demo-k3-700.ts',
        '',
      ].join('\n'),
    );
  });

  it('shows a window of six segments that slides', () => {
    const fixture = new Fixture();
    fixture.add(8 * SEGMENT_FRAMES);
    expect(fixture.value('EXT-X-MEDIA-SEQUENCE')).toBe('702');
    expect(fixture.uris).toEqual([702, 703, 704, 705, 706, 707].map((number) => `demo-k3-${number}.ts`));
  });

  it('serves four segments that have left the window, and forgets older ones', () => {
    const fixture = new Fixture();
    fixture.add(12 * SEGMENT_FRAMES);
    const served = Array.from({ length: 13 }, (_, index) => 700 + index).filter(
      (number) => fixture.hls.segment(`demo-k3-${number}.ts`) !== undefined,
    );
    expect(served).toEqual([702, 703, 704, 705, 706, 707, 708, 709, 710, 711]);
  });

  it('begins each segment with the tables, in whole transport packets', () => {
    const fixture = new Fixture();
    fixture.add(3 * SEGMENT_FRAMES);
    for (const uri of fixture.uris) {
      const bytes = fixture.hls.segment(uri) as Buffer;
      expect(bytes.length % 188).toBe(0);
      expect([bytes.readUInt16BE(1), bytes.readUInt16BE(189)]).toEqual([0x4000, 0x5000]);
    }
  });

  it('ends with a short segment and says so', () => {
    const fixture = new Fixture();
    fixture.add(SEGMENT_FRAMES + 5);
    fixture.hls.end();
    expect(fixture.uris).toHaveLength(2);
    expect(fixture.lines.slice(-4)).toEqual(['#EXTINF:0.106667,', 'demo-k3-701.ts', '#EXT-X-ENDLIST', '']);
    fixture.add(SEGMENT_FRAMES);
    expect(fixture.uris).toHaveLength(2);
  });

  it('without a frame has no playlist even at its end', () => {
    const fixture = new Fixture();
    fixture.hls.end();
    expect(fixture.hls.playlist()).toBeUndefined();
  });

  it('closes the segment and marks the next one where the codec’s configuration changes', () => {
    const fixture = new Fixture();
    fixture.add(SEGMENT_FRAMES + 10);
    fixture.hls.setConfig(LC_44K);
    // 86 frames of 1024 samples at 44.1 kHz: 1.997 s.
    fixture.add(86);
    expect(fixture.lines.filter((line) => /EXTINF|DISCONTINUITY$/.test(line))).toEqual([
      '#EXTINF:1.984000,',
      '#EXTINF:0.213333,',
      '#EXT-X-DISCONTINUITY',
      '#EXTINF:1.996916,',
    ]);
    expect(fixture.value('EXT-X-DISCONTINUITY-SEQUENCE')).toBe('0');
  });

  it('counts the marks that have left the window', () => {
    const fixture = new Fixture();
    fixture.add(1);
    fixture.hls.setConfig(LC_44K);
    fixture.add(7 * 86);
    expect(fixture.lines).not.toContain('#EXT-X-DISCONTINUITY');
    expect(fixture.value('EXT-X-DISCONTINUITY-SEQUENCE')).toBe('1');
  });

  it('lets a player wait for the first segment, and no longer than it said', async () => {
    const fixture = new Fixture();
    const waiting = fixture.hls.whenReady(3_000);
    fixture.add(SEGMENT_FRAMES);
    await expect(waiting).resolves.toBe(true);
    expect(fixture.clock.pendingTimers).toBe(0);

    const silent = new Fixture();
    const inVain = silent.hls.whenReady(3_000);
    silent.clock.advance(3_000);
    await expect(inVain).resolves.toBe(false);
  });

  it('lets nobody wait for a segment that will never come', async () => {
    const fixture = new Fixture();
    const waiting = fixture.hls.whenReady(3_000);
    fixture.hls.end();
    await expect(waiting).resolves.toBe(false);
    await expect(fixture.hls.whenReady(3_000)).resolves.toBe(false);
    expect(fixture.clock.pendingTimers).toBe(0);
  });
});
