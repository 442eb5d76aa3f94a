import { randomBytes } from 'node:crypto';
import { Daemon } from '../../helpers/daemon';
import { eventually } from '../../helpers/eventually';
import { freePort } from '../../helpers/free-port';
import { httpRequest, jsonRequest } from '../../helpers/http-request';
import type { MetricsText } from '../../helpers/metrics-text';
import { allProcesses, openDescriptors, type ProcessEntry } from '../../helpers/processes';
import { NumberedCreator } from './creator';
import { Ear } from './ear';
import { Inspector } from './inspector';

/** One line of the daemon's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly vibeId?: string;
  readonly [member: string]: unknown;
}

/** The daemon at one moment, as far as it may not grow. */
export interface Standing {
  readonly metrics: MetricsText;
  readonly heapBytes: number;
  readonly daemonDescriptors: number;
}

/** Held before it goes on air, so that this machine's own stalls are nobody's underrun. */
const PREBUFFER_MS = 500;
/** What may come and go by itself: keep-alive connections, a timer's descriptor. */
const DESCRIPTORS = 3;
const HEAP_BYTES = 5 * 2 ** 20;
const SETTLES_WITHIN_MS = 10_000;

/** A daemon on which faults are tried one after the other, with its inspector, and what may never appear in its log. */
export class Stage {
  readonly daemon: Daemon;
  readonly inspector: Inspector;
  readonly #secrets = new Set<string>();
  /** Of all FFmpegs seen: what each publishes with. */
  readonly #tokens = new Set<string>();

  private constructor(daemon: Daemon, inspector: Inspector, hookSecret: string) {
    this.daemon = daemon;
    this.inspector = inspector;
    this.#secrets.add(hookSecret);
  }

  /**
   * @param env settings beside those that all stages have
   * @param onReady called before the first vibe: for what stands between the daemon and others
   */
  static async open(
    env: Readonly<Record<string, string>> = {},
    onReady: (daemon: Daemon) => void = () => undefined,
  ): Promise<Stage> {
    const port = await freePort();
    const hookSecret = `CANARY_${randomBytes(16).toString('hex')}`;
    const daemon = await Daemon.start({
      PREBUFFER_MS: String(PREBUFFER_MS),
      HOOK_SECRET: hookSecret,
      NODE_OPTIONS: `--inspect=127.0.0.1:${port}`,
      ...env,
    });
    onReady(daemon);
    const stage = new Stage(daemon, await Inspector.connect(port), hookSecret);
    await stage.#warmUp();
    return stage;
  }

  /** Starts a vibe that only who started it may feed. @returns the key to it, which no log may show */
  async claim(vibeId: string): Promise<string> {
    const url = `${this.daemon.apiUrl}/stream/${vibeId}/start`;
    const { status, json } = await jsonRequest(url, {
      method: 'POST',
      json: { creator: 'noise', claim: true },
    });
    if (status !== 201) throw new Error(`start: ${status} ${JSON.stringify(json)}`);
    const ownerKey = json['ownerKey'] as string;
    this.#secrets.add(ownerKey);
    return ownerKey;
  }

  async end(vibeId: string, ownerKey: string): Promise<void> {
    const answer = await httpRequest(`${this.daemon.apiUrl}/stream/${vibeId}/end`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ownerKey}` },
      body: JSON.stringify({ creator: 'noise' }),
      withinMs: 60_000,
    });
    if (answer.status !== 200) throw new Error(`end: ${answer.status} ${answer.body.toString()}`);
  }

  /** Ends a vibe, and waits until it is over and its listener has heard the end of it. */
  async playOut(vibeId: string, ownerKey: string, ear: Ear): Promise<void> {
    await this.end(vibeId, ownerKey);
    await eventually(
      `${vibeId} has ended`,
      async () => {
        const status = await this.daemon.status(vibeId);
        return (!status || status['state'] === 'ended') && !ear.isConnected;
      },
      { withinMs: 60_000 },
    );
    await ear.leave();
  }

  /** The one FFmpeg of a vibe. @throws {Error} where there is none, or more than one */
  encoderOf(vibeId: string): ProcessEntry {
    const encoders = this.#encoders(vibeId);
    const [encoder] = encoders;
    if (!encoder || encoders.length > 1) throw new Error(`${encoders.length} FFmpegs of ${vibeId}, not one`);
    return encoder;
  }

  mediaServer(): ProcessEntry {
    const found = this.daemon.mediaServerProcess();
    if (!found) throw new Error('no media server process');
    return found;
  }

  /** The log from a place in it on (`mark`). */
  log(from = 0): LogLine[] {
    return this.daemon.output
      .slice(from)
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
  }

  /** Where the log ends now. */
  get mark(): number {
    return this.daemon.output.length;
  }

  async standing(): Promise<Standing> {
    return {
      metrics: await this.daemon.metrics(),
      heapBytes: await this.inspector.heapBytes(),
      daemonDescriptors: openDescriptors(this.daemon.pid),
    };
  }

  /** What is left of an act that should not be, in words: processes, descriptors, heap, secrets in the log. */
  async residue(before: Standing): Promise<string[]> {
    const found: string[] = [];
    const settles = async (what: string, check: () => void | Promise<void>): Promise<void> => {
      await eventually(what, async () => (await check(), true), {
        withinMs: SETTLES_WITHIN_MS,
        everyMs: 100,
      }).catch((error: unknown) => found.push((error as Error).message));
    };
    await settles('no FFmpeg without a vibe', () => {
      const left = this.#encoders();
      if (left.length > 0) throw new Error(`${left.length} FFmpegs left`);
    });
    await settles('no orphan, no zombie', () => {
      const zombies = this.daemon.processes().filter(({ state }) => state === 'Z');
      const tokens = [...this.#tokens];
      const orphans = allProcesses().filter(({ argv }) =>
        argv.some((arg) => tokens.some((token) => arg.includes(token))),
      );
      if (zombies.length + orphans.length > 0)
        throw new Error(`${zombies.length} zombies, ${orphans.length} orphans`);
    });
    await settles('descriptors back', () => {
      const grown = openDescriptors(this.daemon.pid) - before.daemonDescriptors;
      if (grown > DESCRIPTORS) throw new Error(`${grown} descriptors more`);
    });
    await settles('heap back', async () => {
      const grown = (await this.inspector.heapBytes()) - before.heapBytes;
      if (grown > HEAP_BYTES) throw new Error(`${(grown / 2 ** 20).toFixed(1)} MiB more heap`);
    });
    if (!this.daemon.isRunning) found.push('the daemon ended');
    const shown = await httpRequest(`${this.daemon.apiUrl}/metrics`);
    const said = this.daemon.output + shown.body.toString();
    for (const secret of this.#secrets)
      if (said.includes(secret)) found.push('a secret in the log or the metrics');
    return found;
  }

  async close(): Promise<void> {
    this.inspector.close();
    await this.daemon.stop();
  }

  /** As `Daemon.encoders`; the publish tokens in their arguments may be nowhere else. */
  #encoders(vibeId?: string): ProcessEntry[] {
    const found = this.daemon.encoders(vibeId);
    for (const { argv } of found)
      for (const arg of argv) {
        const token = /[?&]token=([\w%-]+)/.exec(arg)?.[1];
        if (token) this.#tokens.add(token);
      }
    return found;
  }

  /** A vibe from beginning to end, so that what is made once is made: the measure of what an act leaves behind. */
  async #warmUp(): Promise<void> {
    const ownerKey = await this.claim('warm-up');
    const ear = await Ear.open(this.daemon.flvUrl('warm-up'));
    const creator = new NumberedCreator({
      ...{ apiUrl: this.daemon.apiUrl, vibeId: 'warm-up', seed: 1, ownerKey },
    });
    creator.start();
    await ear.hears(10);
    await creator.stop();
    await this.playOut('warm-up', ownerKey, ear);
  }
}
