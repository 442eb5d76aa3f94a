import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../../src/cli/program';
import { loadConfig } from '../../src/base/config';
import { srsConf, srsConfOptions } from '../../src/media-server/srs/conf';
import { versionFor } from '../../src/media-server/srs/lines';
import { CapturedOutput } from '../helpers/captured-output';
import { eventually } from '../helpers/eventually';
import { FakePrograms } from '../helpers/fake-srs';
import { freePorts } from '../helpers/free-port';

describe('vibesflow srs status', () => {
  const call = async (args: readonly string[], env: Record<string, string>) => {
    const output = new CapturedOutput();
    const exitCode = await run(['srs', 'status', ...args], output, env);
    return { exitCode, stdout: output.stdout.text, stderr: output.stderr.text };
  };

  describe('of an SRS that runs', () => {
    const programs = new FakePrograms();
    let env: Record<string, string>;
    let srs: ReturnType<typeof spawn>;

    beforeAll(async () => {
      const [rtmp, http, api] = await freePorts(3);
      env = { RTMP_PORT: `${rtmp}`, MEDIA_HTTP_PORT: `${http}`, MEDIA_API_PORT: `${api}` };
      const conf = srsConfOptions(loadConfig(env, { directory: '/' }), versionFor('7'), programs.directory);
      writeFileSync(path.join(programs.directory, 'srs.conf'), srsConf(conf));
      srs = spawn(programs.srs(), ['-c', path.join(programs.directory, 'srs.conf')], { stdio: 'ignore' });
      await eventually('it answers', async () => (await call([], env)).exitCode === 0, { withinMs: 30_000 });
    });
    afterAll(() => {
      srs.kill('SIGKILL');
      programs.remove();
    });

    it('tells release, uptime, streams and known faults', async () => {
      const { stdout } = await call([], env);
      expect(stdout).toMatch(/^SRS 7\.0\.18, process \d+, up for 3:07$/m);
      expect(stdout).toMatch(/^2 streams, 3 players$/m);
      expect(stdout).toMatch(/^ {2}\/live\/hello: on air, 2 players$/m);
      expect(stdout).toMatch(/^ {2}\/live\/left: no publisher, 1 players$/m);
      expect(stdout).toMatch(/^known fault busy-for-ever: /m);
    });

    it('tells it as JSON', async () => {
      const { stdout } = await call(['--json'], env);
      expect(JSON.parse(stdout)).toMatchObject({
        release: '7.0.18',
        pid: srs.pid,
        uptimeSeconds: 187,
        streams: [
          { url: '/live/hello', publishing: true, players: 2 },
          { url: '/live/left', publishing: false, players: 1 },
        ],
        knownFaults: expect.arrayContaining([expect.objectContaining({ id: 'publish-without-data' })]),
      });
    });
  });

  it('says in one line that none answers, with exit code 69', async () => {
    const [api] = await freePorts(1);
    expect(await call([], { MEDIA_API_PORT: `${api}` })).toEqual({
      exitCode: 69,
      stdout: '',
      stderr: `No SRS answers at http://127.0.0.1:${api}: nothing listens there\n`,
    });
  });

  it('asks where the encoders publish', async () => {
    const env = {
      MEDIA_SERVER: 'srs',
      RTMP_URL: 'rtmp://127.0.0.2:1935/live',
      MEDIA_API_PORT: `${(await freePorts(1))[0]}`,
    };
    expect((await call([], env)).stderr).toContain('http://127.0.0.2:');
  });
});
