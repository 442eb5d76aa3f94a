import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually } from './eventually';
import { descendants, describeProcess, isAlive, type ProcessEntry, readProcess } from './processes';
import { type ProgramResult, runProgram } from './run-program';
import { ROOT } from './sources';

const PROGRAM = path.join(ROOT, 'node_modules', 'pm2', 'bin', 'pm2');

/** One program as `pm2 jlist` shows it, as far as tests look at it. */
export interface Pm2App {
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: {
    readonly status: string;
    readonly restart_time: number;
    readonly exec_mode: string;
    readonly exit_code?: number;
    readonly treekill: boolean;
    readonly [name: string]: unknown;
  };
}

/**
 * PM2 with a daemon of its own (`PM2_HOME`), and a copy of `ecosystem.config.js` beside the built relay, in a directory
 * of their own: its logs and `.env` are there, too.
 */
export class Pm2 {
  readonly directory: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #seen = new Map<string, ProcessEntry>();

  constructor(settings: Readonly<Record<string, string>>) {
    this.directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-pm2-'));
    copyFileSync(path.join(ROOT, 'ecosystem.config.js'), path.join(this.directory, 'ecosystem.config.js'));
    for (const name of ['dist', 'package.json', 'node_modules'])
      symlinkSync(path.join(ROOT, name), path.join(this.directory, name));
    mkdirSync(path.join(this.directory, 'home'));
    const home = path.join(this.directory, 'home');
    this.#env = { PATH: process.env['PATH'], HOME: home, PM2_HOME: home, ...settings };
  }

  writeEnvFile(settings: Readonly<Record<string, string>>): void {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(path.join(this.directory, '.env'), lines.join(''), { mode: 0o600 });
  }

  /** `pm2 …`, in its directory, whatever the exit code. */
  async ask(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ProgramResult> {
    const result = await runProgram(process.execPath, [PROGRAM, ...args], {
      cwd: this.directory,
      env: { ...this.#env, ...env },
      withinMs: 90_000,
    });
    this.processes();
    return result;
  }

  /** `pm2 …` that must succeed; gives what it wrote to standard output. */
  async run(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.ask(args);
    if (exitCode === 0) return stdout.toString();
    throw new Error(`pm2 ${args.join(' ')} ended with ${exitCode}:\n${stdout.toString()}${stderr}`);
  }

  async apps(): Promise<Pm2App[]> {
    const text = await this.run('jlist');
    return JSON.parse(text.slice(text.search(/^\[(\{|\])/m))) as Pm2App[];
  }

  async app(name: string): Promise<Pm2App> {
    const found = (await this.apps()).find((app) => app.name === name);
    if (!found) throw new Error(`PM2 does not know ${name}`);
    return found;
  }

  /** What PM2 stored of a program's output. */
  log(name: string, kind: 'out' | 'err' = 'out'): string {
    return this.#read(path.join('logs', `${name}.${kind}.log`));
  }

  /** What PM2's daemon says of itself. */
  get ownLog(): string {
    return this.#read('home/pm2.log');
  }

  get dump(): string {
    return this.#read('home/dump.pm2');
  }

  /** All that descends from PM2's daemon, itself included. They are remembered for `close`. */
  processes(): ProcessEntry[] {
    const daemon = readProcess(Number(this.#read('home/pm2.pid') || NaN));
    const found = daemon ? [daemon, ...descendants(daemon.pid)] : [];
    for (const entry of found) this.#seen.set(`${entry.pid} ${entry.startTicks}`, entry);
    return found;
  }

  /**
   * Ends PM2's daemon and all that it runs, and removes the directory. Whatever happens, no process is left.
   * @throws {Error} where one had to be killed
   */
  async close(): Promise<void> {
    try {
      await this.ask(['kill']);
      await this.expectGone();
    } finally {
      for (const entry of this.#alive()) process.kill(entry.pid, 'SIGKILL');
      rmSync(this.directory, { recursive: true, force: true });
    }
  }

  /** Nothing runs any more of what PM2 has ever run, but for PM2's daemon where it `stays`. */
  async expectGone({ stays = false }: { stays?: boolean } = {}): Promise<void> {
    const pid = Number(this.#read('home/pm2.pid') || NaN);
    await eventually('nothing is left running', () => {
      const left = this.#alive().filter((entry) => !(stays && entry.pid === pid));
      if (left.length > 0) throw new Error(left.map(describeProcess).join('; '));
      return true;
    });
  }

  #alive(): ProcessEntry[] {
    return [...this.#seen.values()].filter(isAlive);
  }

  #read(file: string): string {
    try {
      return readFileSync(path.join(this.directory, file), 'utf8');
    } catch {
      return '';
    }
  }
}
