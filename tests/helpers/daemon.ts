import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually } from './eventually';
import { FFMPEG } from './ffmpeg';
import { FlvListener } from './flv-listener';
import { freePorts, isFree } from './free-port';
import { httpRequest, jsonRequest } from './http-request';
import { MetricsText } from './metrics-text';
import { HANGS_AFTER_MS } from './patience';
import { allProcesses, descendants, describeProcess, isAlive, type ProcessEntry } from './processes';
import { SRS_BINARY, Srs } from './srs';

const MAIN = path.resolve(__dirname, '../../dist/main.js');
/** What a start may take on a busy machine. */
const START_MS = 60_000;
const HOOK_SECRET = 'secret-of-the-hooks';

export interface DaemonEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built daemon as a child process, on free ports, in a directory of its own; seen from outside only. */
export class Daemon {
  readonly apiUrl: string;
  readonly mediaUrl: string;
  readonly rtmpPort: number;
  readonly dataDir: string;
  /** The SRS beside it, where it was started with one. */
  readonly srs: Srs | undefined;
  /** Resolves when the process is gone. */
  readonly ended: Promise<DaemonEnd>;
  readonly #child: ChildProcess;
  readonly #ports: readonly number[];
  readonly #home: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #seen = new Map<string, ProcessEntry>();
  readonly #output: string[] = [];

  private constructor(
    child: ChildProcess,
    {
      ports,
      home,
      env,
      srs,
    }: Pick<Daemon, 'srs'> & { ports: readonly number[]; home: string; env: Daemon['env'] },
  ) {
    this.#child = child;
    this.srs = srs;
    this.#ports = ports;
    this.#home = home;
    this.#env = env;
    this.dataDir = env['DATA_DIR'] ?? path.join(home, 'data');
    this.apiUrl = `http://127.0.0.1:${ports[0]}`;
    this.mediaUrl = `http://127.0.0.1:${ports[1]}`;
    this.rtmpPort = ports[2] as number;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => this.#output.push(bytes.toString()));
    this.ended = new Promise((resolve) =>
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal })),
    );
  }

  /**
   * Starts a daemon and waits until `GET /ready` says 200.
   * @param env settings besides ports and directories
   * @param through a program that becomes it, with its arguments: one that takes something away from it
   * @throws {Error} with its output, when it ends before that or takes too long
   */
  static async start(
    env: Readonly<Record<string, string>> = {},
    through: readonly string[] = [],
  ): Promise<Daemon> {
    const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-e2e-'));
    return Daemon.#start(await freePorts(4), home, env, { through });
  }

  /**
   * Likewise with a real SRS beside it, which writes where the supervisor would have it write.
   * @param hooksPort where SRS calls its hooks, where something stands between it and the daemon
   */
  static async startWithSrs(
    env: Readonly<Record<string, string>> = {},
    { hooksPort }: { readonly hooksPort?: number | undefined } = {},
  ): Promise<Daemon> {
    const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-e2e-'));
    const ports = (await freePorts(5)) as [number, number, number, number, number];
    const [port, http, rtmp, api, rtc] = ports;
    const srs = await Srs.start({
      hooksUrl: `http://127.0.0.1:${hooksPort ?? port}/hooks/${env['HOOK_SECRET'] ?? HOOK_SECRET}`,
      ports: { rtmp, http, api, rtc },
      directory: path.join(env['DATA_DIR'] ?? path.join(home, 'data'), 'srs'),
    });
    const settings = {
      ...{ MEDIA_SERVER: 'srs', SRS_DRIVER: 'binary', SRS_BINARY, HOOK_SECRET, RTC_PORT: String(rtc) },
      ...env,
    };
    try {
      return await Daemon.#start(ports, home, settings, { srs });
    } catch (error) {
      await srs.stop();
      throw error;
    }
  }

  static async #start(
    ports: readonly number[],
    home: string,
    env: Readonly<Record<string, string>>,
    more: { readonly srs?: Srs; readonly through?: readonly string[] },
  ): Promise<Daemon> {
    try {
      return await Daemon.#spawn(ports, home, env, more);
    } catch (error) {
      rmSync(home, { recursive: true, force: true });
      throw error;
    }
  }

  static async #spawn(
    ports: readonly number[],
    home: string,
    env: Readonly<Record<string, string>>,
    { srs, through = [] }: { readonly srs?: Srs; readonly through?: readonly string[] },
  ): Promise<Daemon> {
    const [program = '', ...args] = [...through, process.execPath, MAIN];
    const child = spawn(program, args, {
      cwd: home,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        PORT: String(ports[0]),
        MEDIA_HTTP_PORT: String(ports[1]),
        RTMP_PORT: String(ports[2]),
        MEDIA_API_PORT: String(ports[3]),
        HOST: '127.0.0.1',
        DATA_DIR: path.join(home, 'data'),
        LOG_FORMAT: 'json',
        // Suites share their machine, and may take all of it.
        MAX_CPU_PERCENT: '100',
        FFMPEG_PATH: FFMPEG === 'ffmpeg' ? '' : FFMPEG,
        ...env,
      },
    });
    const daemon = new Daemon(child, { ports, home, env, srs });
    try {
      await eventually('the daemon is ready', () => !daemon.isRunning || daemon.#isReady(), {
        withinMs: START_MS,
        everyMs: 50,
      });
      if (!daemon.isRunning) throw new Error(`ended with ${child.exitCode ?? child.signalCode}`);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`${(error as Error).message}; it said:\n${daemon.output}`, { cause: error });
    }
    return daemon;
  }

  /** Settings besides ports and directories. */
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  /**
   * Another one in the place of one that was killed, as a process manager has it: same ports, directory and settings.
   * @throws {Error} as `start`; the directory stays, for another try
   */
  async respawn(): Promise<Daemon> {
    await this.ended;
    return Daemon.#spawn(this.#ports, this.#home, this.#env, { srs: this.srs });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Everything written to standard output and standard error so far. */
  get output(): string {
    return this.#output.join('');
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  flvUrl(vibeId: string): string {
    return `${this.mediaUrl}/live/${vibeId}.flv`;
  }

  hlsUrl(vibeId: string): string {
    return `${this.mediaUrl}/live/${vibeId}.m3u8`;
  }

  target(vibeId: string): { apiUrl: string; vibeId: string } {
    return { apiUrl: this.apiUrl, vibeId };
  }

  /** A listener of whom the media server knows: what is published from now on reaches it. */
  async listen(vibeId: string): Promise<FlvListener> {
    if (!this.srs) return FlvListener.connect(this.flvUrl(vibeId));
    const before = (await this.status(vibeId))?.['listeners'] as number;
    const listener = await FlvListener.join(this.flvUrl(vibeId));
    await eventually(`SRS lets a listener of ${vibeId} in`, async () => {
      if (!listener.isConnected) throw new Error('it was sent away');
      return ((await this.status(vibeId))?.['listeners'] as number) > before;
    });
    return listener;
  }

  /** `POST /stream/:id/start`, which must succeed. */
  async startVibe(vibeId: string, creator?: string): Promise<Record<string, unknown>> {
    const url = `${this.apiUrl}/stream/${vibeId}/start`;
    const { status, json } = await jsonRequest(url, { method: 'POST', json: { creator } });
    if (status !== 201 && status !== 200) throw new Error(`start: ${status} ${JSON.stringify(json)}`);
    return json;
  }

  /** `POST /stream/:id/end`; what is buffered is played first unless `drain` is false. */
  async endVibe(vibeId: string, body: { creator?: string; drain?: boolean } = {}): Promise<void> {
    const url = `${this.apiUrl}/stream/${vibeId}/end`;
    const answer = await httpRequest(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      withinMs: 60_000,
    });
    if (answer.status !== 200) throw new Error(`end: ${answer.status} ${answer.body.toString()}`);
  }

  /** `GET /stream/:id`: the status, or `undefined` where the answer is 404. */
  async status(vibeId: string): Promise<Record<string, unknown> | undefined> {
    const { status, json } = await jsonRequest(`${this.apiUrl}/stream/${vibeId}`);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`status: ${status} ${JSON.stringify(json)}`);
    return json;
  }

  async metrics(): Promise<MetricsText> {
    const answer = await httpRequest(`${this.apiUrl}/metrics`);
    if (answer.status !== 200) throw new Error(`metrics: ${answer.status}`);
    return new MetricsText(answer.body.toString());
  }

  /** All processes that descend from the daemon now. They are remembered, for `expectNoResidue`. */
  processes(): ProcessEntry[] {
    const found = descendants(this.pid);
    for (const entry of found) this.#seen.set(`${entry.pid} ${entry.startTicks}`, entry);
    return found;
  }

  /** The FFmpeg processes of one vibe (its id stands in their publish URL), or of all. */
  encoders(vibeId?: string): ProcessEntry[] {
    return this.processes().filter(
      (entry) =>
        entry.argv.some((arg) => arg.includes('rtmp://')) &&
        (vibeId === undefined || entry.argv.some((arg) => new RegExp(`/${vibeId}(?![\\w-])`).test(arg))),
    );
  }

  /** The embedded media server's process: the descendant that is Node. */
  mediaServerProcess(): ProcessEntry | undefined {
    return this.processes().find((entry) => entry.argv[0] === process.execPath);
  }

  signal(signal: NodeJS.Signals): void {
    this.processes();
    this.#child.kill(signal);
  }

  /**
   * Ends the daemon and checks that nothing is left of it. Idempotent: an ended daemon is only checked.
   * @throws {Error} when it takes longer than `withinMs`, exits other than with 0, or leaves something behind
   */
  async stop(withinMs = HANGS_AFTER_MS): Promise<void> {
    const wasRunning = this.isRunning;
    if (wasRunning) this.signal('SIGTERM');
    const end = await this.#endWithin(withinMs);
    await this.expectNoResidue();
    rmSync(this.#home, { recursive: true, force: true });
    if (wasRunning && end.exitCode !== 0)
      throw new Error(`the daemon ended with ${end.exitCode ?? end.signal}; it said:\n${this.output}`);
  }

  /**
   * No descendant, no port, no file but logs. Processes and ports have 2 s: the kernel may still be at it. An SRS beside
   * the daemon is ended first: it is no part of it.
   */
  async expectNoResidue(): Promise<void> {
    await this.srs?.stop();
    const mine = `:${this.rtmpPort}/`;
    await eventually(
      'no process of the daemon is left',
      () => {
        const left = [...this.#seen.values()].filter(isAlive);
        left.push(...allProcesses().filter((entry) => entry.argv.some((arg) => arg.includes(mine))));
        if (left.length > 0) throw new Error(left.map(describeProcess).join('; '));
        return true;
      },
      { withinMs: 2_000 },
    );
    for (const port of this.#ports) {
      await eventually(`port ${port} is free`, () => isFree(port), { withinMs: 2_000 });
    }
    // A daemon that did not stop in order leaves what it knew to its successor.
    const kept =
      this.#child.exitCode === 0 ? /^logs\// : /^(logs\/|vibes-\d+\.journal$|media-server-\d+\.json$)/;
    const files = listFiles(this.dataDir).filter((file) => !kept.test(file));
    if (files.length > 0) throw new Error(`files left in the data directory: ${files.join(', ')}`);
  }

  async #endWithin(withinMs: number): Promise<DaemonEnd> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), withinMs);
    });
    const end = await Promise.race([this.ended, late]);
    clearTimeout(timer);
    if (end) return end;
    this.#child.kill('SIGKILL');
    throw new Error(`the daemon did not end within ${withinMs} ms; it said:\n${this.output.slice(-4_000)}`);
  }

  async #isReady(): Promise<boolean> {
    return (await httpRequest(`${this.apiUrl}/ready`, { withinMs: 1_000 })).status === 200;
  }
}

/** Files below a directory, as relative paths; none where it does not exist. */
function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}
