import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { run } from '../../src/cli/program';
import { CapturedOutput } from '../helpers/captured-output';
import { SECRET } from '../helpers/tokens';

/** What a call says, and what it ends with. */
interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

let here: string;
const before = process.cwd();

// No .env but one's own.
beforeEach(() => {
  here = mkdtempSync(path.join(os.tmpdir(), 'token-'));
  process.chdir(here);
});
afterEach(() => {
  process.chdir(before);
  rmSync(here, { recursive: true });
});

async function call(args: readonly string[], env: Record<string, string> = {}, input = ''): Promise<Said> {
  const output = new CapturedOutput();
  const exitCode = await run(['token', ...args], output, env, () => Readable.from([input]));
  return { exitCode, stdout: output.stdout.text, stderr: output.stderr.text };
}

const mint = (...args: string[]): Promise<Said> => call(args, { AUTH_SECRET: SECRET });
const inspect = (token: string, env: Record<string, string> = { AUTH_SECRET: SECRET }): Promise<Said> =>
  call(['inspect'], env, token);

describe('vibesflow token', () => {
  it('prints a token, and nothing else', async () => {
    const { exitCode, stdout, stderr } = await mint('--role', 'creator', '--vibe', 'v');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  it('mints what was asked for', async () => {
    const { stdout } = await mint(
      '--role',
      'creator',
      '--vibe',
      'show-*',
      '--expires',
      '2h',
      '--subject',
      'ana',
    );
    const claims = JSON.parse(Buffer.from(stdout.split('.')[1] as string, 'base64url').toString()) as {
      exp: number;
      iat: number;
    };
    expect(claims).toMatchObject({ sub: 'ana', aud: 'vibesflow', role: 'creator', vibe: 'show-*' });
    expect(claims.exp - claims.iat).toBe(7_200);
  });

  it.each<[string, string[], number, string]>([
    ['no role', ['--vibe', 'v'], 64, '--role'],
    ['an unknown role', ['--role', 'root'], 64, 'participant, creator, admin'],
    ['no vibe for a creator', ['--role', 'creator'], 64, 'vibe'],
    ['a vibe that is none', ['--role', 'creator', '--vibe', '../x'], 64, 'vibe'],
    ['a length of time that is none', ['--role', 'admin', '--expires', 'never'], 64, '90s'],
    ['a life beyond all memory', ['--role', 'admin', '--expires', '900d'], 64, '400 days'],
  ])('refuses %s', async (_what, args, exitCode, words) => {
    const said = await mint(...args);
    expect([said.exitCode, said.stdout]).toEqual([exitCode, '']);
    expect(said.stderr).toContain(words);
  });

  it('says how to make a secret where there is none', async () => {
    const said = await call(['--role', 'admin']);
    expect(said.exitCode).toBe(78);
    expect(said.stderr).toContain('openssl rand');
  });
});

describe('vibesflow token inspect', () => {
  it('says what a token grants, and that it would be taken', async () => {
    const { stdout: token } = await mint('--role', 'participant', '--vibe', 'v', '--subject', 'bob');
    const said = await inspect(`Bearer ${token}`);
    expect(said.exitCode).toBe(0);
    expect(said.stdout).toMatch(/^role +"participant"$/m);
    expect(said.stdout).toMatch(/^sub +"bob"$/m);
    expect(said.stdout).toMatch(/^exp +\d+ \(20\d\d-.*Z\)$/m);
    expect(said.stdout).toMatch(/^taken +yes$/m);
  });

  it('says why another relay would refuse it', async () => {
    const { stdout: token } = await mint('--role', 'participant', '--vibe', 'v');
    const said = await inspect(token, { AUTH_SECRET: SECRET.split('').reverse().join('') });
    expect(said.exitCode).toBe(65);
    expect(said.stdout).toMatch(/^taken +no: .*not signed with a key/m);
  });

  it.each([
    ['nothing', ''],
    ['words', 'hello there'],
    ['half a token', 'eyJhbGciOiJIUzI1NiJ9.e30'],
    ['a flood', 'x'.repeat(1e6)],
  ])('refuses %s', async (_what, input) => {
    const said = await inspect(input);
    expect(said.exitCode).toBe(65);
    expect(said.stdout).toMatch(/^taken +no: /m);
  });

  it('keeps what a stranger wrote from the terminal', async () => {
    const claims = Buffer.from(JSON.stringify({ sub: '\u001b[2J\u009b\n' })).toString('base64url');
    const said = await inspect(`eyJhbGciOiJub25lIn0.${claims}.`);
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(said.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});
