import { ProgressParser, type Progress } from '../../src/encoder/progress';

function parse(...chunks: string[]): Progress[] {
  const blocks: Progress[] = [];
  const parser = new ProgressParser((progress) => blocks.push(progress));
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return blocks;
}

const BLOCK =
  'bitrate= 130.1kbits/s\ntotal_size=1410\nout_time_us=1046000\nout_time_ms=1046000\nout_time=00:00:01.046000\n' +
  'dup_frames=0\ndrop_frames=0\nspeed= 143x\nprogress=continue\n';

describe('the progress parser', () => {
  it('reads a block', () => {
    expect(parse(BLOCK)).toEqual([{ outTimeUs: 1_046_000, totalSize: 1_410, progress: 'continue' }]);
  });

  it('reads the same from any cut of the stream', () => {
    const text = BLOCK + BLOCK.replaceAll('1046000', '2000000').replace('continue', 'end');
    const whole = parse(text);
    expect(whole).toHaveLength(2);
    expect(whole[1]).toEqual({ outTimeUs: 2_000_000, totalSize: 1_410, progress: 'end' });
    for (let at = 0; at <= text.length; at += 1)
      expect(parse(text.slice(0, at), text.slice(at))).toEqual(whole);
    expect(parse(...text)).toEqual(whole);
  });

  it('keeps the last number where FFmpeg does not know one', () => {
    const unknown = 'total_size=N/A\nout_time_us=N/A\nout_time_ms=-9223372036854775808\nprogress=continue\n';
    expect(parse(unknown)).toEqual([{ outTimeUs: 0, totalSize: 0, progress: 'continue' }]);
    expect(parse(BLOCK, unknown)[1]?.outTimeUs).toBe(1_046_000);
  });

  it('reads builds that say out_time_ms alone, which is in microseconds as well', () => {
    expect(parse('out_time_ms=500000\nprogress=continue\n')[0]?.outTimeUs).toBe(500_000);
  });

  it('does not hoard what is no progress', () => {
    const blocks = parse('x'.repeat(1_000_000), '\nframe=7\ngarbage\n=\n', BLOCK);
    expect(blocks).toHaveLength(1);
  });
});
