import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { outputOf } from '../../helpers/run-program';
import { findSystemProgram } from '../../helpers/system-program';

const FORWARDER = path.resolve(__dirname, '../../fixtures/forwarder.js');
/** A bucket of so many bytes: a burst of a few packets, and the rate counts. */
const BURST_BYTES = 8_192;
/** Packets that wait for so long in front of a full bucket are dropped, as routers do. */
const QUEUE = '400ms';

let namespaces = 0;

/** Why there can be none here; nothing where there can. */
export function whyNoNamespace(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root';
  const missing = ['ip', 'nft', 'tc'].filter((program) => findSystemProgram(program) === undefined);
  return missing.length > 0 ? `${missing.join(', ')} missing (apt-get install iproute2 nftables)` : undefined;
}

/**
 * A machine of its own as far as the network goes, with one cable to this one (a veth pair), on which the kernel drops
 * packets or lets few through. A test reaches out of it through `socketPath`.
 */
export class NetworkNamespace {
  /** What connects here is connected, from inside, to the port that was named. */
  readonly socketPath: string;
  readonly #name: string;
  readonly #cable: string;
  readonly #directory: string;
  #forwarder: ChildProcess | undefined;

  private constructor(name: string, cable: string, directory: string) {
    this.#name = name;
    this.#cable = cable;
    this.#directory = directory;
    this.socketPath = path.join(directory, 'out');
  }

  /** @param port of this machine, which must listen on all addresses */
  static async create(port: number): Promise<NetworkNamespace> {
    namespaces += 1;
    const id = `${process.pid % 100_000}-${namespaces}`;
    const [name, outside, inside] = [`vf-${id}`, `vo${id}`, `vi${id}`];
    const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-netns-'));
    const namespace = new NetworkNamespace(name, inside, directory);
    const net = `10.213.${(process.pid + namespaces) % 250}`;
    try {
      await ip('netns', 'add', name);
      await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
      await ip('addr', 'add', `${net}.1/30`, 'dev', outside);
      await ip('link', 'set', outside, 'up');
      await ip('-n', name, 'addr', 'add', `${net}.2/30`, 'dev', inside);
      await ip('-n', name, 'link', 'set', inside, 'up');
      await namespace.#forward(`${net}.1`, port);
    } catch (error) {
      await namespace.dispose();
      throw error;
    }
    return namespace;
  }

  /** Drops such a part of the packets, each way, by chance; 100 is a cable that is pulled. */
  async drop(percent: number): Promise<void> {
    const chance = percent < 100 ? `numgen random mod 100 < ${percent} ` : '';
    const chain = (hook: string): string =>
      `chain ${hook} { type filter hook ${hook} priority 0; ${chance}counter drop; }`;
    await this.heal();
    await this.#inside('nft', `table inet faults {\n${chain('input')}\n${chain('output')}\n}`);
  }

  /** Packets dropped since `drop`. */
  async dropped(): Promise<number> {
    const said = await this.#inside('nft', 'list ruleset');
    return [...said.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** Lets no more out than this. */
  async limit(bytesPerSecond: number): Promise<void> {
    const bucket = ['tbf', 'rate', `${bytesPerSecond * 8}bit`, 'burst', `${BURST_BYTES}b`, 'latency', QUEUE];
    await this.#inside('tc', 'qdisc', 'replace', 'dev', this.#cable, 'root', ...bucket);
  }

  /** All is well again. */
  async heal(): Promise<void> {
    await this.#inside('nft', 'flush ruleset');
    await this.#inside('tc', 'qdisc', 'replace', 'dev', this.#cable, 'root', 'pfifo');
  }

  /** Takes it away, with everything in it. */
  async dispose(): Promise<void> {
    if (this.#forwarder) {
      const exited = once(this.#forwarder, 'exit');
      this.#forwarder.stdin?.end();
      await exited;
    }
    await ip('netns', 'delete', this.#name).catch(() => undefined);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #forward(host: string, port: number): Promise<void> {
    const node = [process.execPath, FORWARDER, this.socketPath, host, String(port)];
    this.#forwarder = spawn(program('ip'), ['netns', 'exec', this.#name, ...node], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const gone = once(this.#forwarder, 'exit').then(() => Promise.reject(new Error('the forwarder ended')));
    gone.catch(() => undefined);
    await Promise.race([once(this.#forwarder.stdout as NodeJS.ReadableStream, 'data'), gone]);
  }

  async #inside(name: string, ...args: string[]): Promise<string> {
    const output = await outputOf(program('ip'), ['netns', 'exec', this.#name, program(name), ...args]);
    return output.toString();
  }
}

async function ip(...args: string[]): Promise<void> {
  await outputOf(program('ip'), args);
}

function program(name: string): string {
  const found = findSystemProgram(name);
  if (found === undefined) throw new Error(`${name} is missing`);
  return found;
}
