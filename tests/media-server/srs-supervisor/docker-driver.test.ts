import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { DockerDriver } from '../../../src/media-server/srs-supervisor/docker-driver';
import { environmentFrom } from '../../../src/media-server/srs-supervisor/programs';
import { FakePrograms } from '../../helpers/fake-srs';

const PROGRAM = '/usr/local/srs/objs/srs';

describe('SRS in a container', () => {
  let programs: FakePrograms;
  beforeEach(() => (programs = new FakePrograms()));
  afterEach(() => programs.remove());

  const driver = (docker = programs.docker()): DockerDriver =>
    new DockerDriver({
      image: 'ossrs/srs:v7.0-a0',
      directory: '/srv/relay/srs',
      apiPort: 1985,
      user: '1000:1001',
      environment: environmentFrom(process.env),
      docker,
    });

  it('says its release, whatever docker says while it fetches the image', async () => {
    programs.srs({ version: '7.0.162' });
    expect(await driver().version()).toEqual({ major: 7, minor: 0, revision: 162 });
    expect(programs.dockerCalls).toEqual([
      ['run', '--rm', '--network', 'none', 'ossrs/srs:v7.0-a0', PROGRAM, '-v'],
    ]);
  });

  it('is refused where there is no docker, or no SRS in the image', async () => {
    await expect(driver('/no/such/docker').version()).rejects.toMatchObject({ exitCode: 69 });
    await expect(driver('/no/such/docker').version()).rejects.toThrow(/needs the command docker/);
    programs.srs({ saysVersion: 'exec failed: no such file' });
    await expect(driver().version()).rejects.toThrow(/does not say its release: /);
  });

  it('tells what docker itself says, without its advice', async () => {
    const docker = path.join(programs.directory, 'docker-without-engine');
    const says =
      "docker: Cannot connect to the Docker daemon.\n\nRun 'docker run --help' for more information";
    writeFileSync(docker, `#!/bin/sh\ncat >&2 <<'END'\n${says}\nEND\nexit 125\n`, { mode: 0o755 });
    await expect(driver(docker).version()).rejects.toThrow(
      /: docker: Cannot connect to the Docker daemon\.$/,
    );
  });

  it('has the host’s network, a user without rights, one directory, and memory for HLS', () => {
    expect(driver().command('/srv/relay/srs/srs.conf').args).toEqual([
      'run',
      '--rm',
      ...['--name', 'vibesflow-srs-1985'],
      ...['--network', 'host'],
      ...['--user', '1000:1001'],
      '--read-only',
      ...['--cap-drop', 'ALL'],
      ...['--security-opt', 'no-new-privileges'],
      ...['--ulimit', 'nofile=6256:6256'],
      ...['--log-driver', 'none'],
      ...['--volume', '/srv/relay/srs:/srv/relay/srs'],
      ...['--tmpfs', '/srv/relay/srs/hls:rw,mode=0700,uid=1000,gid=1001,size=256m'],
      'ossrs/srs:v7.0-a0',
      ...[PROGRAM, '-c', '/srv/relay/srs/srs.conf'],
    ]);
  });

  it('reads its configuration in the same surroundings, under no name', async () => {
    programs.srs({ refuses: 'illegal directive lisen' });
    const file = path.join(programs.directory, 'srs.conf');
    expect(await driver().refusal(file)).toBe('illegal directive lisen');
    const [call = []] = programs.dockerCalls;
    const expected = driver()
      .command(file)
      .args.filter((arg) => !['--name', 'vibesflow-srs-1985'].includes(arg));
    expect(call).toEqual(expected.flatMap((arg) => (arg === '-c' ? ['-t', '-c'] : [arg])));
  });

  it('is taken away by its name, before a start and where it hangs', async () => {
    await driver().sweep();
    await driver().kill();
    expect(programs.dockerCalls).toEqual([
      ['rm', '--force', 'vibesflow-srs-1985'],
      ['rm', '--force', 'vibesflow-srs-1985'],
    ]);
  });
});
