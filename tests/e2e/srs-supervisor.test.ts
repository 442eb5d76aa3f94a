import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { portFault, portsOf } from '../../src/media-server/srs-supervisor/preflight';
import { eventually } from '../helpers/eventually';
import { FakePrograms, type FakeSrsBehaviour } from '../helpers/fake-srs';
import { FFMPEG } from '../helpers/ffmpeg';
import { freePorts } from '../helpers/free-port';
import { httpRequest } from '../helpers/http-request';
import { isAlive } from '../helpers/processes';
import { runProgram } from '../helpers/run-program';
import { describeWith } from '../helpers/system-program';
import { SupervisorProcess } from '../helpers/supervisor-process';
import { ROOT } from '../helpers/sources';

const SECRET = 'a-secret-of-the-hooks';
const SCRIPT = path.join(ROOT, 'scripts', 'start-srs.sh');

let programs: FakePrograms;
let env: Record<string, string>;
let ports: Parameters<typeof portsOf>[0];
const running: SupervisorProcess[] = [];

beforeEach(async () => {
  programs = new FakePrograms();
  const [port, rtmpPort = 0, httpPort = 0, apiPort = 0, rtcPort = 0] = await freePorts(5);
  ports = { rtmpPort, httpPort, apiPort, rtcPort };
  env = {
    MEDIA_SERVER: 'srs',
    SRS_DRIVER: 'binary',
    HOOK_SECRET: SECRET,
    DATA_DIR: path.join(programs.directory, 'data'),
    PORT: String(port),
    RTMP_PORT: String(rtmpPort),
    MEDIA_HTTP_PORT: String(httpPort),
    MEDIA_API_PORT: String(apiPort),
    RTC_PORT: String(rtcPort),
  };
});

afterEach(async () => {
  for (const supervisor of running.splice(0)) await supervisor.remove();
  // The last thread of a killed process closes them.
  await eventually('the ports are free', async () => (await portFault(portsOf(ports))) === undefined);
  programs.remove();
});

function run(more: Record<string, string> = {}, command?: string[]): SupervisorProcess {
  const supervisor = new SupervisorProcess(programs.directory, { ...env, ...more }, command);
  running.push(supervisor);
  return supervisor;
}

function runFake(behaviour?: FakeSrsBehaviour): SupervisorProcess {
  return run({ SRS_BINARY: programs.srs(behaviour) });
}

describe('vibesflow srs run', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('says ready, and ends SRS and itself on %s', async (signal) => {
    const supervisor = runFake();
    await supervisor.ready();
    const srs = supervisor.srs()!;
    supervisor.kill(signal);
    expect(await supervisor.ended).toEqual({ exitCode: 0, signal: null });
    expect(isAlive(srs)).toBe(false);
    expect(supervisor.stderr.join('')).toBe('');
  });

  it('writes below DATA_DIR and nowhere else, and shows the secret to nobody', async () => {
    const supervisor = runFake();
    await supervisor.ready();
    expect(readdirSync(programs.directory).sort()).toEqual(['data', 'srs']);
    expect(readdirSync(env['DATA_DIR']!)).toEqual(['srs']);
    expect(statSync(path.join(env['DATA_DIR']!, 'srs', 'srs.conf')).mode & 0o777).toBe(0o640);
    expect(supervisor.stdout.join('')).not.toContain(SECRET);
    expect(supervisor.srs()?.argv.join(' ')).not.toContain(SECRET);
  });

  it('takes SRS with it even when it is killed', async () => {
    const supervisor = runFake({ deaf: true });
    await supervisor.ready();
    const srs = supervisor.srs()!;
    supervisor.kill('SIGKILL');
    await supervisor.ended;
    await supervisor.until('SRS is gone', () => !isAlive(srs));
  });

  it('leaves at once on a second signal, and takes a deaf SRS with it', async () => {
    const supervisor = runFake({ deaf: true });
    await supervisor.ready();
    const srs = supervisor.srs()!;
    supervisor.kill('SIGTERM');
    await supervisor.until('it is stopping', () => supervisor.stdout.join('').includes('second signal'));
    // Within 300 ms a second signal is the same wish.
    await supervisor.until('it leaves', () => {
      supervisor.kill('SIGTERM');
      return !isAlive(srs);
    });
    expect(await supervisor.ended).toEqual({ exitCode: 130, signal: null });
  });

  describe('ends with one line and an exit code', () => {
    const refusal = async (
      more: Record<string, string>,
    ): Promise<{ exitCode: number | null; line: string }> => {
      const supervisor = run(more);
      const { exitCode } = await supervisor.ended;
      const line = supervisor.stderr.join('');
      expect(line.trim().split('\n')).toHaveLength(1);
      expect(supervisor.isReady).toBe(false);
      return { exitCode, line };
    };

    it('69 where there is no SRS, or another program of that name', async () => {
      expect(await refusal({ SRS_BINARY: '/no/such/srs' })).toEqual({
        exitCode: 69,
        line: 'SRS_BINARY /no/such/srs does not exist\n',
      });
      expect(
        await refusal({ SRS_BINARY: programs.srs({ saysVersion: 'Usage: srs [options]' }) }),
      ).toMatchObject({
        exitCode: 69,
        line: expect.stringMatching(/is not SRS, the media server/),
      });
    });

    it('69 where a port is taken', async () => {
      const holder = net.createServer().listen(ports.apiPort, '127.0.0.1');
      await once(holder, 'listening');
      const { exitCode, line } = await refusal({ SRS_BINARY: programs.srs() });
      holder.close();
      await once(holder, 'close');
      expect(line).toMatch(/\(MEDIA_API_PORT\) is in use/);
      expect(exitCode).toBe(69);
    });

    it('73 where DATA_DIR cannot be made', async () => {
      writeFileSync(path.join(programs.directory, 'file'), '');
      const DATA_DIR = path.join(programs.directory, 'file', 'data');
      expect(await refusal({ SRS_BINARY: programs.srs(), DATA_DIR })).toMatchObject({ exitCode: 73 });
    });

    it('78 where the settings are wrong', async () => {
      expect(await refusal({})).toMatchObject({
        exitCode: 78,
        line: expect.stringMatching(/SRS_BINARY must name SRS/),
      });
    });
  });

  describe('with SRS_DRIVER=docker', () => {
    it('runs the container, and ends it in order', async () => {
      programs.srs({ shownPid: 1 });
      programs.docker();
      const supervisor = run({ SRS_DRIVER: 'docker', PATH: `${programs.directory}:${process.env['PATH']}` });
      await supervisor.ready();
      supervisor.kill('SIGTERM');
      expect(await supervisor.ended).toMatchObject({ exitCode: 0 });
      expect(programs.dockerCalls.at(-1)).toContain('ossrs/srs:v7.0-a0');
    });

    it('says that there is no docker', async () => {
      const supervisor = run({ SRS_DRIVER: 'docker', PATH: '/no/such/directory' });
      expect(await supervisor.ended).toMatchObject({ exitCode: 69 });
      expect(supervisor.stderr.join('')).toMatch(/needs the command docker/);
    });
  });

  it('only watches with SRS_DRIVER=external, and touches nothing', async () => {
    const supervisor = run({ SRS_DRIVER: 'external' });
    await supervisor.ready();
    await supervisor.until('it has looked', () => supervisor.stdout.join('').includes('SRS does not answer'));
    supervisor.kill('SIGTERM');
    expect(await supervisor.ended).toEqual({ exitCode: 0, signal: null });
    expect(existsSync(env['DATA_DIR']!)).toBe(false);
  });
});

describe('scripts/start-srs.sh', () => {
  const without = (...names: string[]): void => names.forEach((name) => delete env[name]);

  it('has --help', async () => {
    const { exitCode, stdout } = await runProgram('sh', [SCRIPT, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout.toString()).toMatch(/^Usage: scripts\/start-srs\.sh/);
  });

  describeWith({ shellcheck: 'shellcheck' })('as a script', () => {
    it('is clean for shellcheck', async () => {
      const { stdout } = await runProgram('shellcheck', ['--shell=sh', SCRIPT]);
      expect(stdout.toString()).toBe('');
    });
  });

  it('runs the binary where one is named, and becomes the supervisor', async () => {
    without('SRS_DRIVER');
    const supervisor = run({ SRS_BINARY: programs.srs() }, ['sh', SCRIPT]);
    await supervisor.ready();
    supervisor.kill('SIGTERM');
    expect(await supervisor.ended).toEqual({ exitCode: 0, signal: null });
  });

  it('reads .env, too', async () => {
    without('SRS_DRIVER');
    writeFileSync(path.join(programs.directory, '.env'), `# mine\nSRS_BINARY="${programs.srs()}"\n`);
    const supervisor = run({}, ['sh', SCRIPT]);
    await supervisor.ready();
  });

  it('runs the container where an engine answers', async () => {
    without('SRS_DRIVER');
    programs.srs({ shownPid: 1 });
    programs.docker();
    const supervisor = run({ PATH: `${programs.directory}:${process.env['PATH']}` }, ['sh', SCRIPT]);
    await supervisor.ready();
    expect(programs.dockerCalls[0]).toEqual(['info']);
    supervisor.kill('SIGTERM');
    expect(await supervisor.ended).toEqual({ exitCode: 0, signal: null });
  });

  it('says what is missing where there is neither', async () => {
    without('SRS_DRIVER');
    writeFileSync(path.join(programs.directory, 'docker'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const supervisor = run({ PATH: `${programs.directory}:${process.env['PATH']}` }, ['sh', SCRIPT]);
    expect(await supervisor.ended).toMatchObject({ exitCode: 69 });
    expect(supervisor.stderr.join('')).toMatch(/^start-srs: no SRS to run: .*\n$/);
  });
});

const binary = process.env['SRS_BINARY'];
if (!binary) console.warn('SRS_BINARY is not set: no real SRS is supervised in this run.');

(binary ? describe : describe.skip)('the supervisor of a real SRS (SRS_BINARY)', () => {
  const srsBinary = path.resolve(binary ?? '');
  const start = async (): Promise<SupervisorProcess> => {
    const supervisor = run({ SRS_BINARY: srsBinary, LOG_LEVEL: 'debug' });
    await supervisor.ready();
    return supervisor;
  };
  const answers = async (): Promise<number | undefined> => {
    const { body } = await httpRequest(`http://127.0.0.1:${ports.apiPort}/api/v1/versions`);
    return Number((JSON.parse(body.toString()) as { pid: string }).pid);
  };

  it('starts it again when it was killed, and when it hangs, and ends it in order', async () => {
    const supervisor = await start();
    const runs = (): number => supervisor.lines.filter(({ msg }) => msg === 'SRS runs').length;
    for (const [index, signal] of (['SIGKILL', 'SIGSTOP'] as const).entries()) {
      await supervisor.until('it has said so', () => runs() === index + 1);
      const before = supervisor.srs()!;
      process.kill(before.pid, signal);
      await supervisor.until('it is gone', () => !isAlive(before));
      await supervisor.until('it runs again', () => runs() === index + 2);
      expect(await answers()).toBe(supervisor.srs()?.pid);
    }
    const last = supervisor.srs()!;
    supervisor.kill('SIGTERM');
    expect(await supervisor.ended).toEqual({ exitCode: 0, signal: null });
    expect(isAlive(last)).toBe(false);
    expect(supervisor.lines.filter(({ level }) => level === 'error').map(({ cause }) => cause)).toEqual([
      expect.stringMatching(/^SIGKILL/),
      expect.stringMatching(/^hung: /),
    ]);
  });

  it('refuses to start beside another one that would share its ports', async () => {
    await start();
    const second = run({ SRS_BINARY: srsBinary, DATA_DIR: path.join(programs.directory, 'second') });
    expect(await second.ended).toMatchObject({ exitCode: 69 });
    expect(second.stderr.join('')).toMatch(/in use, perhaps by another SRS/);
  });

  it('sees one that comes later and takes a part of the connections', async () => {
    const supervisor = await start();
    const conf = await runProgram(
      process.execPath,
      [
        path.join(ROOT, 'dist/cli/vibesflow.js'),
        ...['srs', 'conf', '--for', (await runProgram(srsBinary, ['-v'])).stdout.toString().trim()],
      ],
      { env: { ...env, SRS_DRIVER: 'external', DATA_DIR: programs.directory }, cwd: programs.directory },
    );
    expect(conf.stderr).toBe('');
    const strange = path.join(programs.directory, 'strange.conf');
    // Its own pid file, as an operator's would have.
    writeFileSync(strange, conf.stdout.toString().replace(/^pid .*$/m, 'pid ./strange.pid;'));
    const stranger = spawn(srsBinary, ['-c', strange], { cwd: programs.directory, stdio: 'ignore', env: {} });
    const said = (): boolean =>
      supervisor.lines.some(({ level, strangerPid }) => level === 'error' && strangerPid === stranger.pid);
    try {
      await supervisor.until('it names the stranger', said);
    } finally {
      stranger.kill('SIGKILL');
    }
    const { pid } = supervisor.srs()!;
    await supervisor.until('all connections are ours again', async () => (await answers()) === pid);
  });

  it('keeps tokens and the secret out of the log, where SRS writes them down', async () => {
    const supervisor = await start();
    // Nobody answers the hook, so SRS refuses the publish and complains with all that it knows.
    await runProgram(FFMPEG, [
      ...['-loglevel', 'quiet', '-f', 'lavfi', '-i', 'sine=duration=2', '-c:a', 'aac', '-f', 'flv'],
      `rtmp://127.0.0.1:${ports.rtmpPort}/live/hello?token=life-4711`,
    ]);
    const complaint = await supervisor.until('SRS complains', () =>
      supervisor.lines.find(({ level, msg }) => level === 'error' && /publish/.test(String(msg))),
    );
    expect(String(complaint['msg'])).toContain('***');
    expect(supervisor.stdout.join('')).not.toContain('life-4711');
    expect(supervisor.stdout.join('')).not.toContain(SECRET);
  });
});
