import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hlsDirectory, srsConf } from '../../src/media-server/srs/conf';
import { parseSrsVersion } from '../../src/media-server/srs/lines';
import { eventually } from './eventually';
import { freePorts } from './free-port';
import { httpRequest, jsonRequest } from './http-request';

/** The SRS that tests run: an executable outside of this repository, named by `SRS_BINARY`. Empty where there is none. */
export const SRS_BINARY = process.env['SRS_BINARY'] ? path.resolve(process.env['SRS_BINARY']) : '';

/** What a start may take on a busy machine: SRS itself needs some tens of milliseconds. */
const START_MS = 10_000;
const STOP_MS = 5_000;

/** One stream as SRS's API lists it: what tests look at. */
export interface SrsStream {
  readonly url: string;
  readonly name: string;
  readonly clients: number;
  readonly recv_bytes: number;
  readonly publish: { readonly active: boolean; readonly cid?: string };
}

export interface SrsPorts {
  readonly rtmp: number;
  readonly http: number;
  readonly api: number;
  readonly rtc: number;
}

export interface SrsOptions {
  /** Base of the hooks, which all answer `{"code":0}` unless a test is about them; see `HookServer`. */
  readonly hooksUrl: string;
  /** Ports that somebody else must know beforehand; free ones unless told. */
  readonly ports?: SrsPorts;
  /** Where it may write; a temporary directory of its own unless told. Removed when it is stopped. */
  readonly directory?: string;
  /** Changes the shipped configuration where a test would have to wait for minutes otherwise. */
  readonly change?: (conf: string) => string;
  /** Called with the directory that HLS will be written to, before the start. */
  readonly prepare?: (hlsDirectory: string) => void;
}

/** Free ports for an SRS that is to be started. */
export async function freeSrsPorts(): Promise<SrsPorts> {
  const [rtmp, http, api, rtc] = (await freePorts(4)) as [number, number, number, number];
  return { rtmp, http, api, rtc };
}

/** `7.0.18`, as the executable says it. */
export function srsVersion(binary = SRS_BINARY): string {
  const { stdout, stderr } = spawnSync(binary, ['-v'], { encoding: 'utf8' });
  const version = /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0];
  if (!version) throw new Error(`${binary} -v gives no version: ${stdout}${stderr}`);
  return version;
}

/**
 * `describe` for what needs a real SRS. Without `SRS_BINARY` it is skipped, under a name that says so: there is no
 * package of SRS to install, so this is no failure in CI either.
 */
export function describeSrs(name: string, tests: () => void): void {
  if (SRS_BINARY) describe(`${name} [SRS ${srsVersion()}]`, tests);
  else describe.skip(`${name} [SKIPPED: SRS_BINARY names no SRS]`, tests);
}

/**
 * A real SRS as a child process, on free ports, in a directory of its own, with the configuration that `vibesflow srs
 * conf` prints; seen from outside only. It ends by itself when the test process is gone.
 */
export class Srs {
  readonly version: string;
  readonly ports: SrsPorts;
  readonly apiUrl: string;
  readonly httpUrl: string;
  /** Where HLS lies: `live/` below it. */
  readonly hlsDirectory: string;
  readonly #directory: string;
  readonly #output: string[] = [];
  #child!: ChildProcess;
  #ended!: Promise<void>;

  private constructor(version: string, ports: SrsPorts, directory: string) {
    this.version = version;
    this.ports = ports;
    this.apiUrl = `http://127.0.0.1:${ports.api}`;
    this.httpUrl = `http://127.0.0.1:${ports.http}`;
    this.#directory = directory;
    this.hlsDirectory = hlsDirectory(directory);
  }

  /**
   * Starts an SRS and waits until its API answers.
   * @throws {Error} with what SRS said, when it ends before that or takes too long
   */
  static async start(options: SrsOptions): Promise<Srs> {
    const ports = options.ports ?? (await freeSrsPorts());
    const directory = options.directory ?? mkdtempSync(path.join(os.tmpdir(), 'vibesflow-srs-'));
    const srs = new Srs(srsVersion(), ports, directory);
    try {
      mkdirSync(srs.hlsDirectory, { recursive: true });
      options.prepare?.(srs.hlsDirectory);
      const version = parseSrsVersion(srs.version);
      if (!version) throw new Error(`no version of SRS: ${srs.version}`);
      const conf = srsConf({
        version,
        directory,
        rtmpPort: ports.rtmp,
        httpPort: ports.http,
        apiPort: ports.api,
        rtcPort: ports.rtc,
        rtcCandidate: '127.0.0.1',
        hooksUrl: options.hooksUrl,
      });
      writeFileSync(path.join(directory, 'srs.conf'), options.change?.(conf) ?? conf);
      await srs.run();
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    return srs;
  }

  /** Runs it once more, with the same configuration and ports, after it was killed. */
  async run(): Promise<void> {
    const child = spawn(SRS_BINARY, ['-c', path.join(this.#directory, 'srs.conf')], {
      cwd: this.#directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], SRS_ASPROCESS: 'on' },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => this.#output.push(bytes.toString()));
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    try {
      await eventually(
        `SRS ${this.version} answers on port ${this.ports.api}`,
        async () => !this.isRunning || (await this.#answers()),
        { withinMs: START_MS },
      );
      if (!this.isRunning) throw new Error(`SRS ended with ${child.exitCode ?? child.signalCode}`);
    } catch (error) {
      child.kill('SIGKILL');
      throw new Error(`${(error as Error).message}; it said:\n${this.log.slice(-4_000)}`, { cause: error });
    }
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Everything it wrote to standard output and standard error so far, of all its lives. */
  get log(): string {
    return this.#output.join('');
  }

  /** Resolves when the process of now is gone. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  rtmpUrl(name: string): string {
    return `rtmp://127.0.0.1:${this.ports.rtmp}/live/${name}`;
  }

  flvUrl(name: string): string {
    return `${this.httpUrl}/live/${name}.flv`;
  }

  hlsUrl(name: string): string {
    return `${this.httpUrl}/live/${name}.m3u8`;
  }

  /** All streams that its API lists; asked for with a count, because it lists ten otherwise. */
  async streams(query = '?count=10000'): Promise<SrsStream[]> {
    const { json } = await jsonRequest(`${this.apiUrl}/api/v1/streams/${query}`);
    return json['streams'] as SrsStream[];
  }

  /** The stream of a name, or `undefined` where the API lists none. */
  async stream(name: string): Promise<SrsStream | undefined> {
    return (await this.streams()).find(({ url }) => url.endsWith(`/live/${name}`));
  }

  /** How often an error code stands in its log: `1028` is a name in use, `1098` a name that is being taken down. */
  errors(code: number): number {
    return this.log.match(new RegExp(`code=${code}\\b`, 'g'))?.length ?? 0;
  }

  /** Sends a signal to it; SIGCONT and SIGSTOP too. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills it, at once. `run` brings it back. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /**
   * Ends it and removes its directory. Idempotent.
   * @throws {Error} when it does not end in time
   */
  async stop(): Promise<void> {
    if (this.isRunning) {
      this.#child.kill('SIGCONT');
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
      await this.#ended;
      clearTimeout(timer);
      if (this.#child.signalCode === 'SIGKILL')
        throw new Error(`SRS did not end within ${STOP_MS} ms; it said:\n${this.log.slice(-4_000)}`);
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    return (await httpRequest(`${this.apiUrl}/api/v1/versions`, { withinMs: 1_000 })).status === 200;
  }
}
