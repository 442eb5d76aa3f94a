import {
  FfmpegChild,
  type FfmpegChildOptions,
  type FfmpegEnd,
} from '../../../src/media-server/srs/ffmpeg-child';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { ffmpegTools } from '../../helpers/ffmpeg-tools';

describe('an FFmpeg between its pipes', () => {
  const clock = new FakeClock();
  let said: string;
  let ends: FfmpegEnd[];
  let children: FfmpegChild[];

  beforeEach(() => {
    said = '';
    ends = [];
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill();
    await eventually('all are gone', () => ends.length === children.length);
    expect(clock.pendingTimers).toBe(0);
  });

  function start(program: string, options: Partial<FfmpegChildOptions> = {}): FfmpegChild {
    const child = new FfmpegChild({
      tools: ffmpegTools(program),
      args: ['-i', 'pipe:0'],
      clock,
      onOutput: (bytes) => (said += bytes.toString()),
      onExit: (end) => ends.push(end),
      ...options,
    });
    children.push(child);
    return child;
  }

  it('gets its arguments, and its output is handed on', async () => {
    const child = start('waits');
    await eventually('it speaks', () => said !== '');
    expect(said).toBe('-i pipe:0\n');
    expect(child.pid).toBeGreaterThan(0);
  });

  it('ends when its input does', async () => {
    const child = start('waits');
    await eventually('it runs', () => said !== '');
    await Promise.all([child.close(), child.close()]);
    expect(ends).toEqual([{ exitCode: 0, signal: null, stderr: [] }]);
    expect(child.pid).toBeUndefined();
    child.write(Buffer.from('too late'));
  });

  it('is killed where it does not end', async () => {
    const child = start('stuck-quietly');
    await eventually('it runs', () => said !== '');
    const closed = child.close();
    await clock.advanceAsync(500, 100);
    expect(ends).toEqual([]);
    await clock.advanceAsync(1_000, 100);
    await closed;
    expect(ends).toEqual([expect.objectContaining({ signal: 'SIGKILL' })]);
  });

  it('tells its last words without what stands behind a question mark', async () => {
    start('says-its-url');
    await eventually('it is gone', () => ends.length === 1);
    expect(ends[0]).toEqual({
      exitCode: 1,
      signal: null,
      stderr: ['rtmp://127.0.0.1/live/v?***: Input/output error', 'another line'],
    });
  });

  it.each(['/nowhere/ffmpeg', 'with\0nul'])('that cannot be started is gone: %j', async (path) => {
    const child = start('waits', { tools: { path, leash: [], environment: {} } });
    await eventually('it is gone', () => ends.length === 1);
    expect(ends[0]).toMatchObject({ exitCode: null, signal: null });
    expect(ends[0]?.stderr).toHaveLength(1);
    await child.close();
  });
});
