import { run } from '../../src/cli/program';
import { CapturedOutput } from '../helpers/captured-output';
import { freePorts } from '../helpers/free-port';

describe('vibesflow doctor', () => {
  const examine = async (
    env: Record<string, string>,
    ...args: string[]
  ): Promise<{ exitCode: number; text: string }> => {
    const [port, media, rtmp, api] = await freePorts(4);
    const ports = {
      PORT: `${port}`,
      MEDIA_HTTP_PORT: `${media}`,
      RTMP_PORT: `${rtmp}`,
      MEDIA_API_PORT: `${api}`,
    };
    const output = new CapturedOutput();
    const { PATH, FFMPEG_PATH } = process.env;
    const exitCode = await run(['doctor', ...args], output, { PATH, FFMPEG_PATH, ...ports, ...env });
    return { exitCode, text: output.stdout.text };
  };

  it('has a line for each check, and exit code 0 where nothing stands in the way', async () => {
    const { exitCode, text } = await examine({});
    expect(exitCode).toBe(0);
    for (const line of text.trim().split('\n')) expect(line).toMatch(/^(ok {2}|warn) {2}\S.*: \S/);
    expect(text).toMatch(/^warn {2}daemon: none answers at .* → start it with/m);
  });

  it('fails where something does, and says what to do', async () => {
    const { exitCode, text } = await examine({ FFMPEG_PATH: '/nowhere/ffmpeg' });
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^The chain breaks at: ffmpeg\n/);
    expect(text).toMatch(/^fail {2}ffmpeg: .* → .*FFMPEG_PATH/m);
  });

  it('fails on wrong settings', async () => {
    const { exitCode, text } = await examine({ HOLD_SECONDS: 'long' });
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^fail {2}settings: .*HOLD_SECONDS/m);
  });

  it('names the first failing link of several, in the order of the chain', async () => {
    const { text } = await examine({
      DATA_DIR: '/proc/1/nowhere',
      PUBLIC_URL: 'https://does-not-exist.invalid',
    });
    expect(text).toMatch(/^The chain breaks at: data directory\n/);
    expect(text).toMatch(/^fail {2}public address: .* → make a DNS record/m);
  });

  it('follows the chain to SRS where that is the media server', async () => {
    const { exitCode, text } = await examine({ MEDIA_SERVER: 'srs' });
    expect(exitCode).toBe(1);
    expect(text).toMatch(/^The chain breaks at: srs\n/);
    expect(text).toMatch(/^fail {2}srs: its API does not answer .* → start it/m);
  });

  it('speaks JSON to scripts', async () => {
    const { exitCode, text } = await examine({}, '--json');
    const { ok, failing, checks } = JSON.parse(text) as {
      ok: boolean;
      failing: string | null;
      checks: { name: string; result: string }[];
    };
    expect([ok, failing]).toEqual([true, null]);
    expect(exitCode).toBe(0);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['node', 'ffmpeg', 'data directory']),
    );
  });
});
