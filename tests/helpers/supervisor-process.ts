import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { eventually } from './eventually';
import { HANGS_AFTER_MS } from './patience';
import { descendants, isAlive, type ProcessEntry } from './processes';

const PROGRAM = path.resolve(__dirname, '../../dist/cli/vibesflow.js');

type Line = Readonly<Record<string, unknown>>;

/** `vibesflow srs run` as a process, seen from outside as a process manager sees it. */
export class SupervisorProcess {
  readonly stderr: string[] = [];
  readonly stdout: string[] = [];
  /** Whether it said `ready`, as PM2 waits for. */
  isReady = false;
  readonly ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;

  /** @param command `vibesflow srs run` unless told */
  constructor(
    cwd: string,
    env: Readonly<Record<string, string>>,
    command = [process.execPath, PROGRAM, 'srs', 'run'],
  ) {
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, {
      cwd,
      env: { PATH: process.env['PATH'], LOG_FORMAT: 'json', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.stdout.push(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.stderr.push(text));
    this.#child.on('message', (message) => (this.isReady ||= message === 'ready'));
    this.ended = new Promise((resolve) =>
      this.#child.once('close', (exitCode, signal) => resolve({ exitCode, signal })),
    );
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The lines of its log so far. */
  get lines(): Line[] {
    return this.stdout
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  }

  /** Resolves when it says that SRS runs. @throws {Error} with what it said, where it ends before */
  async ready(): Promise<void> {
    await this.until('it is ready', () => this.isReady);
  }

  async until<T>(what: string, check: () => T | Promise<T>): Promise<Exclude<T, undefined | null | false>> {
    try {
      return await eventually(what, check, { withinMs: HANGS_AFTER_MS });
    } catch (error) {
      const said = [...this.stdout, ...this.stderr].join('');
      throw new Error(`${(error as Error).message}; it said:\n${said}`, { cause: error });
    }
  }

  /** The SRS that runs below it. */
  srs(): ProcessEntry | undefined {
    return descendants(this.pid).find(
      ({ argv, state }) => argv.includes('-c') && argv[0] !== 'setpriv' && state !== 'Z',
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends whatever is left of it. */
  async remove(): Promise<void> {
    const left = descendants(this.pid);
    this.#child.kill('SIGKILL');
    await this.ended;
    for (const entry of left) {
      if (isAlive(entry)) process.kill(entry.pid, 'SIGKILL');
      await eventually(`${entry.pid} is gone`, () => !isAlive(entry), { withinMs: HANGS_AFTER_MS });
    }
  }
}
