/*
 * `npm run slow-attacks`: the slow attacks of slowhttptest on a relay of our own, at its own port, its media server's, and
 * through nginx where that is there; and how long everybody else waits meanwhile.
 */
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Daemon } from '../helpers/daemon';
import { delay } from '../helpers/eventually';
import { httpRequest } from '../helpers/http-request';
import { Nginx } from '../helpers/nginx';
import { quantile } from '../helpers/quantile';
import { findSystemProgram } from '../helpers/system-program';
import { trust } from '../helpers/web';
import { ControlVibe, PREBUFFER_MS } from './control-vibe';

const HELP = `npm run slow-attacks -- [--connections N] [--seconds N]

Runs slowhttptest (apt-get install slowhttptest) against a relay of its own, one attack after the other: slow headers, slow
bodies, slow reading and ranges, at the API, at the media server, and through nginx where it is installed. A control vibe
plays meanwhile, and is compared byte for byte; others ask the API ten times a second.

  --connections N   at once, in each attack (500)
  --seconds N       for each attack (20)

Ends with 1 where others waited for 100 ms or more (the 99th percentile), or the control vibe was disturbed.`;

const MOST_MS = 100;
const ASK_MS = 100;

interface Attack {
  readonly name: string;
  readonly args: readonly string[];
}

interface Seen {
  readonly attack: string;
  readonly waitedMs: { readonly p50: number; readonly p99: number; readonly most: number };
  readonly failed: number;
  /** As slowhttptest tells it at its end. */
  readonly verdict: string;
}

function attacksOn(where: string, base: string): Attack[] {
  return [
    { name: `slow headers, ${where}`, args: ['-H', '-i', '1', '-u', `${base}/streams/active`] },
    {
      name: `slow bodies, ${where}`,
      args: ['-B', '-i', '1', '-s', '8192', '-f', 'application/json', '-u', `${base}/stream/attacked/start`],
    },
    {
      name: `slow reading, ${where}`,
      args: ['-X', '-w', '1', '-y', '512', '-n', '1', '-z', '5', '-k', '3', '-u', `${base}/assets/mpegts.js`],
    },
    { name: `ranges, ${where}`, args: ['-R', '-u', `${base}/assets/mpegts.js`] },
  ];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '20' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const program = findSystemProgram('slowhttptest');
  if (!program) {
    console.error('slowhttptest is missing (apt-get install slowhttptest)');
    return 69;
  }
  const load = ['-c', values.connections, '-r', values.connections, '-l', values.seconds, '-p', '3'];
  const daemon = await Daemon.start({ PREBUFFER_MS: String(PREBUFFER_MS), PUBLIC_URL: 'https://localhost' });
  const nginx = findSystemProgram('nginx') ? await Nginx.start(daemon) : undefined;
  if (nginx) trust(nginx.ca);
  try {
    const control = await ControlVibe.begin(daemon);
    const attacks = [
      ...attacksOn('at the API', daemon.apiUrl),
      {
        name: 'slow headers, at the media server',
        args: ['-H', '-i', '1', '-u', `${daemon.mediaUrl}/live/control.flv`],
      },
      {
        name: 'slow listeners, at the media server',
        args: ['-X', '-w', '1', '-y', '512', '-n', '1', '-z', '5', '-u', daemon.flvUrl('control')],
      },
      ...(nginx ? attacksOn('through nginx', nginx.url) : []),
    ];
    const seen: Seen[] = [];
    for (const attack of attacks) {
      seen.push(await beside(daemon, attack.name, run(program, [...attack.args, ...load])));
      console.error(lineOf(seen.at(-1) as Seen));
    }
    await control.prove();
    console.log(seen.map(lineOf).join('\n'));
    console.log('The control vibe was heard byte for byte.');
    return seen.some(({ waitedMs, failed }) => waitedMs.p99 >= MOST_MS || failed > 0) ? 1 : 0;
  } finally {
    trust(undefined);
    await nginx?.stop();
    await daemon.stop();
  }
}

/** Asks the API ten times a second, as somebody else, until the attack is over. */
async function beside(daemon: Daemon, attack: string, running: Promise<string>): Promise<Seen> {
  let verdict: string | undefined;
  void running.then((said) => (verdict = said));
  const tookMs: number[] = [];
  let failed = 0;
  while (verdict === undefined) {
    const begunMs = performance.now();
    const answer = await httpRequest(`${daemon.apiUrl}/stream/control`).catch(() => undefined);
    if (answer?.status === 200) tookMs.push(performance.now() - begunMs);
    else failed += 1;
    await delay(ASK_MS);
  }
  const waitedMs = { p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99), most: Math.max(...tookMs) };
  return { attack, waitedMs, failed, verdict };
}

/** @returns the reason for its end, and its last count of connections */
async function run(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  // eslint-disable-next-line no-control-regex -- it colours what it says
  const plain = said.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '');
  const last = (name: string): string =>
    [...plain.matchAll(new RegExp(`^${name}:\\s+(.+)$`, 'gm'))].at(-1)?.[1]?.trim() ?? '?';
  return `${last('Exit status')}; connected ${last('connected')}, closed ${last('closed')}, service available: ${last('service available')}`;
}

function lineOf({ attack, waitedMs, failed, verdict }: Seen): string {
  const { p50, p99, most } = waitedMs;
  const times = `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, most ${most.toFixed(1)} ms`;
  return `${attack}: others waited ${times}${failed > 0 ? `, ${failed} in vain` : ''} (${verdict})`;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 2;
  },
);
