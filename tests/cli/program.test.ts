import { run } from '../../src/cli/program';
import { CapturedOutput } from '../helpers/captured-output';
import { freePort } from '../helpers/free-port';

const COMMANDS = ['serve', 'publish', 'listen', 'tune', 'doctor', 'srs', 'nginx'];

describe('the vibesflow command', () => {
  const call = async (...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
    const output = new CapturedOutput();
    const exitCode = await run(args, output, process.env);
    return { exitCode, stdout: output.stdout.text, stderr: output.stderr.text };
  };

  it('names its commands, and its version', async () => {
    const { exitCode, stdout } = await call('--help');
    expect(exitCode).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect((await call('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each(COMMANDS)('shows examples of %s', async (command) => {
    const { exitCode, stdout } = await call(command, '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Examples:\n  $ vibesflow ${command}`);
  });

  it.each([
    [['sing'], /unknown command 'sing'/],
    [['listen', 'hello', '--loud'], /unknown option '--loud'/],
    [['listen'], /missing required argument 'vibe'/],
    [['publish', 'a.mp3'], /required option '--vibe <id>'/],
    [['publish', 'a.mp3', '--vibe', 'a.b'], /letters, digits/],
    [['publish', 'a.mp3', '--vibe', 'a', '--door', 'back'], /Allowed choices are websocket, post/],
    [['publish', '-', '--vibe', 'a', '--loop'], /cannot be looped/],
    [['listen', 'hello', '--url', 'nowhere'], /is not a URL/],
    [['tune', '--seconds', 'many'], /number of seconds/],
    [['serve', '--port', '0'], /1 to 65535/],
    [['nginx', 'conf', '--domain', 'a b'], /host name/],
    [['srs', 'conf', '--loud'], /unknown option '--loud'/],
  ])('refuses %j in one line, with exit code 64', async (args, line) => {
    const { exitCode, stderr, stdout } = await call(...args);
    expect(exitCode).toBe(64);
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
  });

  it('shows its help where nothing is asked, and calls that wrong usage', async () => {
    const { exitCode, stderr } = await call();
    expect(exitCode).toBe(64);
    expect(stderr).toContain('Usage: vibesflow');
  });

  it('says in one line that no relay answers, with exit code 69', async () => {
    const { exitCode, stderr } = await call(
      'listen',
      'hello',
      '--url',
      `http://127.0.0.1:${await freePort()}`,
    );
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/^No relay answers at .*\n$/);
  });
});
