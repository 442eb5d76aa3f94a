import { allFfmpegs, defaultFfmpeg } from '../../bench/lib/ffmpegs';
import { FFMPEG } from '../helpers/ffmpeg';

describe('the FFmpegs of a benchmark', () => {
  it('are one of each generation, the one that daemons under test run first', async () => {
    const all = await allFfmpegs();
    const majors = all.map(({ major }) => major);
    expect(all[0]).toEqual(await defaultFfmpeg());
    expect(all[0]?.path).toBe(FFMPEG);
    expect(new Set(majors).size).toBe(majors.length);
    for (const { major, name, version } of all) {
      expect(major).toBeGreaterThanOrEqual(4);
      expect(name).toBe(`FFmpeg ${major}`);
      expect(version).not.toBe('');
    }
  });

  it('leave out one that is not there', async () => {
    const before = process.env['FFMPEG7_PATH'];
    process.env['FFMPEG7_PATH'] = '/nowhere/ffmpeg';
    try {
      expect((await allFfmpegs()).map(({ path }) => path)).not.toContain('/nowhere/ffmpeg');
    } finally {
      if (before === undefined) delete process.env['FFMPEG7_PATH'];
      else process.env['FFMPEG7_PATH'] = before;
    }
  });
});
