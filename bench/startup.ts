import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { DEFAULT_FORMAT } from '../src/audio/pcm';
import { cafHeader } from '../src/encoder/caf-header';
import { Canary } from '../tests/helpers/canary';
import { postRaw } from '../tests/helpers/creators';
import { Daemon } from '../tests/helpers/daemon';
import { delay } from '../tests/helpers/eventually';
import { QUIET } from '../tests/helpers/ffmpeg';
import { FlvListener } from '../tests/helpers/flv-listener';
import { music, seededRandom } from '../tests/helpers/music';
import { paced } from '../tests/helpers/pacing';
import { WebSocketCreator } from '../tests/helpers/websocket-creator';
import type { Bench, BenchRun } from './lib/bench';
import { allFfmpegs, defaultFfmpeg, type Ffmpeg } from './lib/ffmpegs';
import { distribution, median } from './lib/stats';

const HAND_RAW = 'by hand, raw PCM';
const HAND_CAF = 'by hand, PCM in CAF';
const STARTED = 'relay, POSTs, vibe started before';
const POSTS = 'relay, POSTs, no start';
const WEBSOCKET = 'relay, WebSocket, no start';
const HANDS = [HAND_RAW, HAND_CAF] as const;
const RELAYS = [STARTED, POSTS, WEBSOCKET] as const;
/** Lets a listener's request reach the server: nothing tells a client that a player is waiting. */
const LISTENER_MS = 150;
/** A start during which the machine stood still for so long says nothing about anybody. */
const DISTURBED_MS = 15;
const PACING = { chunkMs: 20 };
/** Of packets as long as an AAC frame. */
const CAF_HEADER = cafHeader(DEFAULT_FORMAT, 1024);

export const startup: Bench = {
  name: 'startup',
  summary: 'first PCM byte to the first audio tag at a waiting listener',
  description:
    'From the first PCM byte to the first audio tag at a listener who is waiting already: 20 ms chunks in short POSTs, with ' +
    'and without a call of start before, and over a WebSocket. The floor is the same FFmpeg with the best flags, run by hand ' +
    'against the same media server, in turns with the relay: the quicker of raw PCM and of PCM behind a CAF header.',
  defaults: { rounds: 15, seconds: 1 },
  quick: { rounds: 3, seconds: 1 },
  isGuard: true,
  options: [
    {
      flags: '--ffmpegs <which>',
      description: 'all that are here, or the default one (default all, quick default)',
    },
  ],
  run,
};

/** Sends audio under a name; called with the listener waiting. */
type Send = () => Promise<unknown>;

async function run(bench: BenchRun): Promise<void> {
  const which = bench.options['ffmpegs'] ?? (bench.quick ? 'default' : 'all');
  const ffmpegs = which === 'all' ? await allFfmpegs() : [await defaultFfmpeg()];
  for (const { name, version } of ffmpegs) bench.parameter(name, version);
  const canary = await Canary.start();
  const stage = new Stage(bench, canary);
  try {
    for (const ffmpeg of ffmpegs) await stage.play(ffmpeg);
  } finally {
    await canary.stop();
  }
  stage.tellLeftOut();
  for (const [index, { name }] of ffmpegs.entries()) judge(bench, name, index === 0);
}

/** Where starts are played, one after the other. */
class Stage {
  readonly #bench: BenchRun;
  readonly #canary: Canary;
  readonly #pcm: Buffer;
  readonly #random = seededRandom(11);
  #leftOut = 0;

  constructor(bench: BenchRun, canary: Canary) {
    this.#bench = bench;
    this.#canary = canary;
    this.#pcm = music(bench.seconds, 91);
  }

  async play(ffmpeg: Ffmpeg): Promise<void> {
    const daemon = await Daemon.start({ PREBUFFER_MS: '0', FFMPEG_PATH: ffmpeg.path });
    try {
      // The first time compiles: who starts later finds a daemon that has run for a while.
      await this.#playRound(ffmpeg, daemon, 'first', () => undefined);
      for (let round = 0; round < this.#bench.rounds; round += 1) {
        await this.#playRound(ffmpeg, daemon, String(round), (way, tookMs) =>
          this.#bench.measure(`${ffmpeg.name} ${way}`, 'ms', tookMs),
        );
        this.#bench.progress(`${ffmpeg.name}: round ${round + 1} of ${this.#bench.rounds}`);
      }
    } finally {
      await daemon.stop();
    }
  }

  tellLeftOut(): void {
    if (this.#leftOut > 0)
      this.#bench.note(
        `${this.#leftOut} starts were left out: the machine stood still for ${DISTURBED_MS} ms or more meanwhile`,
      );
  }

  async #playRound(
    ffmpeg: Ffmpeg,
    daemon: Daemon,
    round: string,
    keep: (way: string, tookMs: number) => void,
  ): Promise<void> {
    const pcm = this.#pcm;
    const take = async (way: string, name: string, send: Send): Promise<void> => {
      const { fromMs, tookMs } = await firstTagMs(daemon, name, send);
      await this.#canary.look();
      if (this.#canary.worstStallMs(fromMs, fromMs + tookMs) < DISTURBED_MS) keep(way, tookMs);
      else this.#leftOut += 1;
    };

    const hands = HANDS.filter((way) => way === HAND_RAW || ffmpeg.major >= 5).map((way) => async () => {
      const name = `${way === HAND_RAW ? 'raw' : 'caf'}-${round}`;
      const rtmpUrl = `rtmp://127.0.0.1:${daemon.rtmpPort}/live/${name}`;
      await take(way, name, () => byHand(pcm, ffmpeg, rtmpUrl, way));
    });
    const started = async (): Promise<void> => {
      const name = `started-${round}`;
      await daemon.startVibe(name);
      await take(STARTED, name, () => postRaw(daemon.target(name), pcm, PACING));
      await daemon.endVibe(name, { drain: false });
    };
    const posted = async (): Promise<void> => {
      const name = `posted-${round}`;
      await take(POSTS, name, () => postRaw(daemon.target(name), pcm, PACING));
      await daemon.endVibe(name, { drain: false });
    };
    const socketed = async (): Promise<void> => {
      const name = `socketed-${round}`;
      const creator = await WebSocketCreator.connect(daemon.target(name));
      await creator.message('ready');
      await take(WEBSOCKET, name, () => paced(pcm, PACING, (chunk) => creator.send(chunk)));
      await creator.close();
      await daemon.endVibe(name, { drain: false });
    };
    // Nobody always comes after the same other: what ran last decides what lies in the caches.
    const starts = [...hands, started, posted, socketed].map((start) => ({ start, at: this.#random() }));
    for (const { start } of starts.sort((a, b) => a.at - b.at)) await start();
  }
}

/** Milliseconds until a listener hears its first audio tag, from the moment that `send` is called. */
async function firstTagMs(
  daemon: Daemon,
  vibeId: string,
  send: Send,
): Promise<{ fromMs: number; tookMs: number }> {
  const listening = FlvListener.connect(daemon.flvUrl(vibeId));
  await delay(LISTENER_MS);
  const fromMs = performance.now();
  const sent = send();
  const listener = await listening;
  await listener.until('the first audio tag', () => listener.frames.length > 0);
  const tookMs = (listener.frames[0]?.atMs ?? NaN) - fromMs;
  await sent;
  listener.leave();
  return { fromMs, tookMs };
}

/** `-tcp_nodelay` saves 40 ms on each round trip. FFmpeg 5 is as quick with raw PCM; FFmpeg 7 reads 85 ms of it first. */
async function byHand(
  pcm: Buffer,
  { path }: Ffmpeg,
  rtmpUrl: string,
  how: (typeof HANDS)[number],
): Promise<void> {
  const input = how === HAND_CAF ? ['-f', 'caf'] : ['-f', 's16le', '-ar', '48000', '-ac', '2'];
  const child = spawn(
    path,
    [
      ...QUIET.filter((arg) => arg !== '-nostdin'),
      ...['-probesize', '32', '-analyzeduration', '0', ...input, '-i', 'pipe:0'],
      ...['-c:a', 'aac', '-b:a', '128k', '-flvflags', 'no_duration_filesize'],
      ...['-tcp_nodelay', '1', '-f', 'flv', rtmpUrl],
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  const closed = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  child.stdin.on('error', () => undefined);
  if (how === HAND_CAF) child.stdin.write(CAF_HEADER);
  await paced(pcm, PACING, (chunk) => void child.stdin.write(chunk));
  child.stdin.end();
  await closed;
}

function judge(bench: BenchRun, ffmpeg: string, isDefault: boolean): void {
  const floors = HANDS.map((way) => median(bench.values(`${ffmpeg} ${way}`))).filter(Number.isFinite);
  const floor = Math.min(...floors);
  for (const way of RELAYS) {
    const name = `${ffmpeg} ${way}`;
    const is = median(bench.values(name));
    bench.compare({
      name,
      unit: '× by hand',
      value: is / floor,
      target: { most: 1.15 },
      guard: isDefault ? { most: 1.6 } : 'none',
    });
    bench.compare({ name, unit: 'ms', value: is, target: { most: 250 }, guard: 'none' });
  }
  bench.plot({
    name: isDefault ? 'startup' : `startup-${ffmpeg.toLowerCase().replace(' ', '-')}`,
    title: `From the first PCM byte to the first audio tag, ${ffmpeg}`,
    xLabel: 'ms',
    yLabel: 'share of starts',
    series: [...HANDS, ...RELAYS]
      .filter((way) => bench.values(`${ffmpeg} ${way}`).length > 0)
      .map((way) => ({
        name: way,
        points: distribution(bench.values(`${ffmpeg} ${way}`)),
        isFloor: (HANDS as readonly string[]).includes(way),
      })),
  });
}
