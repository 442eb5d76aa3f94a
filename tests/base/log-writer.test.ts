import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Compiled } from '../helpers/compiled';

/** Says one thing, then whatever it is told on stdin, and ends on a signal as the daemon does. */
const PROGRAM = `
  const { LogWriter } = require(process.argv[1]);
  const log = new LogWriter(1);
  process.stdin.on('data', (lines) => {
    for (let line = 0; line < Number(lines); line += 1) log.write(String(line).padStart(1023, '.') + '\\n');
    process.stderr.write('said');
  });
  process.on('SIGTERM', async () => {
    log.write('stopping\\n');
    log.write('stopped\\n');
    await log.written();
    process.exit(0);
  });
  process.on('SIGUSR2', () => {
    log.write('broken\\n');
    log.writeNow();
    process.exit(1);
  });
  log.write('ready\\n');
`;

describe('the writer of the log', () => {
  let compiled: Compiled;
  beforeAll(() => (compiled = new Compiled(['base'])));
  afterAll(() => compiled.remove());

  let program: ChildProcess;
  let text: string;
  beforeEach(async () => {
    const args = ['-e', PROGRAM, compiled.file('base/log-writer')];
    program = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    text = '';
    program.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part));
    await once(program.stdout as NodeJS.EventEmitter, 'data');
  });
  afterEach(() => program.kill('SIGKILL'));

  /** Has it log lines of 1 KiB. */
  async function say(lines: number): Promise<void> {
    program.stdin?.write(String(lines));
    await once(program.stderr as NodeJS.EventEmitter, 'data');
  }

  it('writes every line in order before the program ends', async () => {
    await say(500);
    program.kill('SIGTERM');
    expect(await once(program, 'close')).toEqual([0, null]);
    const lines = text.split('\n');
    expect(lines.slice(1, 501).map((line) => Number(line.replace(/^\.+/, '')))).toEqual(
      Array.from({ length: 500 }, (_, line) => line),
    );
    expect(lines.slice(501)).toEqual(['stopping', 'stopped', '']);
  });

  it('lets a program end whose log nobody reads any more', async () => {
    program.stdout?.destroy();
    await say(500);
    program.kill('SIGTERM');
    expect(await once(program, 'exit')).toEqual([0, null]);
  });

  it('says the last words of a program that cannot go on', async () => {
    program.kill('SIGUSR2');
    expect(await once(program, 'close')).toEqual([1, null]);
    expect(text).toBe('ready\nbroken\n');
  });

  it('leaves lines out for a reader that does not read, and says how many', async () => {
    program.stdout?.pause();
    await say(6_000);
    program.stdout?.resume();
    program.kill('SIGTERM');
    expect(await once(program, 'close')).toEqual([0, null]);
    const leftOut = JSON.parse(/^\{.*\}$/m.exec(text)?.[0] ?? '{}') as { lines: number };
    const kept = text.split('\n').filter((line) => line.startsWith('.')).length;
    expect(leftOut.lines).toBeGreaterThan(1_000);
    expect(kept + leftOut.lines).toBeGreaterThanOrEqual(6_000);
    expect(text.split('\n')).toContain('stopped');
  });
});
