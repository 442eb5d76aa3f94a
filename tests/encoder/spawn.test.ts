import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { findFfmpeg } from '../../src/encoder/ffmpeg-path';
import { capture, childEnvironment, findLeash } from '../../src/encoder/spawn';
import { eventually } from '../helpers/eventually';
import { isAlive, readProcess, type ProcessEntry } from '../helpers/processes';
import { silentLogger } from '../helpers/silent-logger';
import { ENVIRONMENT, expectNoChildren } from './encoder-house';

describe('the environment of a child', () => {
  it('has what programs need to be found and loaded, and nothing else', () => {
    const own = {
      PATH: '/bin',
      LD_LIBRARY_PATH: '/lib',
      FFREPORT: 'file=/tmp/x',
      AUTH_SECRET: 's',
      TMPDIR: undefined,
    };
    expect(childEnvironment(own)).toEqual({ LC_ALL: 'C', PATH: '/bin', LD_LIBRARY_PATH: '/lib' });
  });
});

describe('a captured program', () => {
  it('gives its output, and its failure as a value', async () => {
    const said = await capture('/bin/sh', ['-c', 'echo "$A$B"'], { A: 'only this' });
    expect(said).toEqual({ stdout: 'only this\n' });
    const failed = await capture('/bin/sh', ['-c', 'echo no; exit 3'], {});
    expect(failed.stdout).toBe('no\n');
    expect(failed.error?.code).toBe(3);
    expect((await capture('/nonexistent', [], {})).error?.code).toBe('ENOENT');
  });
});

describe('the leash', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'leash-'));
  const onLinux = process.platform === 'linux' ? it : it.skip;
  afterAll(() => rmSync(directory, { recursive: true }));
  afterEach(expectNoChildren);

  it('is missing, and says so once, where there is no setpriv', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    expect(await findLeash({ PATH: '' }, logger)).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('setpriv');
  });

  /** A process that feeds an FFmpeg which writes into a pipe that nobody reads, once that FFmpeg is blocked. */
  async function blockedFfmpeg(
    leash: readonly string[],
  ): Promise<{ kill(): void; ffmpeg: ProcessEntry; close(): void }> {
    const fifo = path.join(directory, `out-${leash.length}.flv`);
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, 'r+');
    const program = path.resolve(__dirname, '../fixtures/encoder-parent.js');
    const args = [program, findFfmpeg(undefined, ENVIRONMENT), fifo, JSON.stringify(leash)];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    // It has worked and works no more, although it is fed as fast as it reads, and although it might (it sleeps, it
    // does not wait for its turn on a busy machine): so it is its output that holds it.
    const look = (): { state: string; ticks: number } => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return { state: fields[0] as string, ticks: Number(fields[11]) + Number(fields[12]) };
    };
    let [ticks, looks] = [0, 0];
    await eventually('FFmpeg to be blocked on its output', () => {
      const now = look();
      looks = now.ticks > 1 && now.ticks === ticks && now.state === 'S' ? looks + 1 : 0;
      ticks = now.ticks;
      return looks >= 10;
    });
    const exited = once(parent, 'exit');
    return {
      ffmpeg: readProcess(pid) as ProcessEntry,
      kill: () => void parent.kill('SIGKILL'),
      close: () => void exited.then(() => closeSync(reader)),
    };
  }

  onLinux('ends an FFmpeg that is blocked on its output when its parent is killed with SIGKILL', async () => {
    const leash = await findLeash(ENVIRONMENT, silentLogger);
    expect(leash).not.toEqual([]);
    const { ffmpeg, kill, close } = await blockedFfmpeg(leash);
    expect(ffmpeg.argv[0]).toMatch(/ffmpeg$/);
    kill();
    await eventually('FFmpeg to be gone', () => !isAlive(ffmpeg));
    close();
  });
});
