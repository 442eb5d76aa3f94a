import { publishByHand } from '../tests/helpers/bare-ffmpeg';
import { Canary } from '../tests/helpers/canary';
import { postRaw } from '../tests/helpers/creators';
import { Daemon } from '../tests/helpers/daemon';
import { firstTag } from '../tests/helpers/first-tag';
import { music, seededRandom } from '../tests/helpers/music';
import { paced } from '../tests/helpers/pacing';
import { WebSocketCreator } from '../tests/helpers/websocket-creator';
import type { Bench, BenchRun } from './lib/bench';
import { chosenFfmpegs, type Ffmpeg, FFMPEGS_OPTION } from './lib/ffmpegs';
import { distribution, median } from './lib/stats';

const HAND_RAW = 'by hand, raw PCM';
const HAND_CAF = 'by hand, PCM in CAF';
const STARTED = 'relay, POSTs, vibe started before';
const POSTS = 'relay, POSTs, no start';
const WEBSOCKET = 'relay, WebSocket, no start';
const HANDS = [HAND_RAW, HAND_CAF] as const;
const RELAYS = [STARTED, POSTS, WEBSOCKET] as const;
/** A start during which the machine stood still for so long says nothing about anybody. */
const DISTURBED_MS = 15;
const PACING = { chunkMs: 20 };

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
  options: [FFMPEGS_OPTION],
  run,
};

/** Sends audio under a name; called with the listener waiting. */
type Send = () => Promise<unknown>;

async function run(bench: BenchRun): Promise<void> {
  const ffmpegs = await chosenFfmpegs(bench);
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
      const { fromMs, tookMs } = await firstTag(daemon.flvUrl(name), send);
      await this.#canary.look();
      if (this.#canary.worstStallMs(fromMs, fromMs + tookMs) < DISTURBED_MS) keep(way, tookMs);
      else this.#leftOut += 1;
    };

    const hands = HANDS.filter((way) => way === HAND_RAW || ffmpeg.major >= 5).map((way) => async () => {
      const name = `${way === HAND_RAW ? 'raw' : 'caf'}-${round}`;
      const rtmpUrl = `rtmp://127.0.0.1:${daemon.rtmpPort}/live/${name}`;
      const input = way === HAND_RAW ? 'raw' : 'caf';
      const { path } = ffmpeg;
      await take(way, name, () => publishByHand(pcm, PACING, rtmpUrl, undefined, { path, input }));
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
