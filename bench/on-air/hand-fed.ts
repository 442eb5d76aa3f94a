/*
 * A process that feeds FFmpegs by hand, with nothing between the PCM and their standard input: the floor of what a vibe
 * costs. Each gets one AAC frame at a time, as often as it needs one, phases spread.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { delay } from '../../tests/helpers/eventually';
import { FFMPEG, QUIET } from '../../tests/helpers/ffmpeg';
import { music } from '../../tests/helpers/music';
import { APART_MS, obey } from './obey';
import { Metronome } from './metronome';

const FRAME_MS = 1024 / 48;
const FRAME_BYTES = 4_096;
/** As long as that of the creators, whose signal it is. */
const PIECE_SECONDS = 30;

const frames = aacFrames(music(PIECE_SECONDS, 7));
const metronome = new Metronome(FRAME_MS);
const children = new Map<string, ChildProcess>();
const leaving: (() => void)[] = [];
let faults: string[] = [];

obey({
  metronome,
  get pids() {
    return [...children.values()].map(({ pid }) => pid as number);
  },
  async grow({ names, url, coder = 'twoloop' }) {
    for (const name of names) {
      const child = spawn(FFMPEG, command(`${url}/${name}`, coder), { stdio: ['pipe', 'ignore', 'inherit'] });
      const from = (children.size * 97) % frames.length;
      children.set(name, child);
      child.once('error', (error) => faults.push(`${name}: ${error.message}`));
      child.once(
        'exit',
        (code) => children.delete(name) && faults.push(`${name}: FFmpeg ended with ${code}`),
      );
      child.stdin?.on('error', () => undefined);
      leaving.push(metronome.join((index) => child.stdin?.write(frames[(from + index) % frames.length])));
      await delay(APART_MS);
    }
  },
  async stop() {
    for (const leave of leaving.splice(0)) leave();
    const running = [...children.values()];
    children.clear();
    await Promise.all(
      running.map((child) => {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.stdin?.end();
        return gone;
      }),
    );
  },
  takeFaults() {
    const told = faults;
    faults = [];
    return told;
  },
});

function aacFrames(pcm: Buffer): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at + FRAME_BYTES <= pcm.length; at += FRAME_BYTES)
    cut.push(pcm.subarray(at, at + FRAME_BYTES));
  return cut;
}

/**
 * The flags that cost least, as far as flags matter: with eleven ways side by side (four FFmpegs each, two stretches of 15 s,
 * more than the machine could do) all lay within 6 % of these, CAF or raw PCM, `-progress`, `-threads 1`, no
 * `-flush_packets`, no `-tcp_nodelay`, chunks of 20 ms or of two AAC frames; so did an FFmpeg that threw its AAC away.
 */
function command(rtmpUrl: string, coder: string): string[] {
  return [
    ...QUIET.filter((arg) => arg !== '-nostdin'),
    ...['-nostdin', '-nostats', '-filter_threads', '1', '-probesize', '32', '-analyzeduration', '0'],
    ...['-f', 's16le', '-ar', '48000', '-ac', '2', '-i', 'pipe:0'],
    ...['-c:a', 'aac', '-b:a', '128k', '-aac_coder', coder, '-flvflags', 'no_duration_filesize'],
    ...['-flush_packets', '1', '-tcp_nodelay', '1', '-f', 'flv', rtmpUrl],
  ];
}
