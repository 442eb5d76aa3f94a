import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from '../../src/cli/program';
import { CapturedOutput } from '../helpers/captured-output';
import { ROOT } from '../helpers/sources';

describe('vibesflow srs conf', () => {
  let here: string;
  const before = process.cwd();

  beforeEach(() => {
    here = mkdtempSync(path.join(os.tmpdir(), 'srs-conf-'));
    process.chdir(here);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(here, { recursive: true });
  });

  const call = async (
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
    const output = new CapturedOutput();
    const exitCode = await run(['srs', 'conf', ...args], output, env);
    return { exitCode, stdout: output.stdout.text, stderr: output.stderr.text };
  };

  it('prints srs.conf, byte for byte, wherever it runs', async () => {
    const expected = readFileSync(path.join(ROOT, 'srs.conf'), 'utf8');
    expect(await call(['--for', '7'])).toEqual({ exitCode: 0, stdout: expected, stderr: '' });
    expect((await call([])).stdout).toBe(expected);
  });

  it('prints the one of another release', async () => {
    expect((await call(['--for', '7.0.162'])).stdout).toContain('\nrtmp {\n    listen 127.0.0.1:1935;\n');
    expect((await call(['--for', '6'])).stdout).toMatch(/^# SRS 6\.0\.157 \(6\.x\)/);
  });

  it('takes the daemon’s port as an option, and the rest from the settings', async () => {
    const { stdout } = await call(['--port', '4001'], {
      RTMP_PORT: '4002',
      HOOK_SECRET: 'a-secret-of-the-hooks',
    });
    expect(stdout).toContain('on_publish http://127.0.0.1:4001/hooks/a-secret-of-the-hooks/on_publish;');
    expect(stdout).toContain('listen 127.0.0.1:4002;');
  });

  it('writes a DATA_DIR elsewhere as it is', async () => {
    expect((await call([], { DATA_DIR: '/srv/relay' })).stdout).toContain('pid /srv/relay/srs/srs.pid;');
    expect((await call([], { DATA_DIR: './state' })).stdout).toContain('pid state/srs/srs.pid;');
  });

  it.each([
    [['--for', '3'], /5, 6, 7 or a release/],
    [['--for', '4.0.271'], /5 or newer/],
    [['--port', 'x'], /1 to 65535/],
  ])('refuses %j with exit code 64 and one line', async (args, line) => {
    const { exitCode, stdout, stderr } = await call(args);
    expect(exitCode).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('refuses wrong settings with exit code 78', async () => {
    expect(await call([], { HOST: 'relay.example' })).toMatchObject({ exitCode: 78, stdout: '' });
    expect(await call([], { RTC_PORT: '0' })).toMatchObject({ exitCode: 78, stdout: '' });
  });
});
