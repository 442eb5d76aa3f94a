import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { listenToBareFfmpeg } from './bare-ffmpeg';
import { FFMPEG, QUIET } from './ffmpeg';
import { FlvListener, timestampFault } from './flv-listener';
import { HlsListener } from './hls-listener';
import { burstSignal, latencies } from './latency';
import { music } from './music';
import { encodeOffline, expectSameFrames } from './offline-encode';
import { outputOf } from './run-program';

const INPUT = [...QUIET, '-f', 's16le', '-ar', '48000', '-ac', '2', '-i', 'pipe:0'];
const AAC = ['-c:a', 'aac', '-b:a', '128k'];

describe('the listeners of the end-to-end tests, on files that FFmpeg wrote', () => {
  const pcm = music(4.9, 21);
  let directory: string;
  let server: http.Server;
  let baseUrl: string;
  let reference: Buffer[];
  /** What `/live.flv` does after half of its bytes. */
  let afterHalf: (answer: http.ServerResponse, rest: Buffer) => void;

  beforeAll(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-listeners-'));
    reference = await encodeOffline(pcm);
    const flv = await outputOf(
      FFMPEG,
      [...INPUT, ...AAC, '-flvflags', 'no_duration_filesize', '-f', 'flv', '-'],
      { input: pcm },
    );
    const hls = ['-f', 'hls', '-hls_time', '1', '-hls_list_size', '0', path.join(directory, 'a.m3u8')];
    await outputOf(FFMPEG, [...INPUT, ...AAC, ...hls], { input: pcm });

    const playlist = readFileSync(path.join(directory, 'a.m3u8'), 'utf8');
    const lines = playlist.split('\n');
    let asked = 0;
    server = http.createServer((request, answer) => {
      if (request.url === '/live.flv') {
        answer.write(flv.subarray(0, flv.length / 2));
        afterHalf(answer, flv.subarray(flv.length / 2));
      } else if (request.url === '/a.m3u8') {
        // A playlist that is not there at first, and grows by one segment each time.
        const shown = lines.findIndex((line, index) => index > 6 + 2 * asked && line.endsWith('.ts'));
        asked += 1;
        if (asked === 1) answer.writeHead(404).end();
        else answer.end(shown === -1 ? playlist : lines.slice(0, shown + 1).join('\n'));
      } else {
        answer.end(readFileSync(path.join(directory, path.basename(request.url ?? ''))));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  });

  it('hear all AAC frames of an HTTP-FLV stream, and its end', async () => {
    afterHalf = (answer, rest) => answer.end(rest);
    const listener = await FlvListener.connect(`${baseUrl}/live.flv`);
    expect(await listener.end()).toBe('end');
    expect(expectSameFrames(listener.aacFrames, reference)).toEqual({
      firstFrame: 0,
      equalFrames: reference.length,
    });
    expect(listener.configs).toHaveLength(1);
    expect(timestampFault(listener.frames)).toBeUndefined();
  });

  it('tell a broken connection from an end, and from hanging up', async () => {
    afterHalf = (answer) => answer.socket?.destroySoon();
    const cut = await FlvListener.connect(`${baseUrl}/live.flv`);
    expect(await cut.end()).toBe('cut');
    expect(cut.frames.length).toBeGreaterThan(50);

    afterHalf = () => undefined;
    const leaving = await FlvListener.connect(`${baseUrl}/live.flv`);
    await leaving.until('half of the frames', () => leaving.frames.length > 50);
    leaving.leave();
    expect(await leaving.end()).toBe('left');
  });

  it('follow an HLS playlist that is late and grows, each segment once', async () => {
    const listener = new HlsListener(`${baseUrl}/a.m3u8`);
    await listener.done;
    expect(listener.segments.map(({ uri }) => uri)).toEqual(['a0.ts', 'a1.ts', 'a2.ts', 'a3.ts', 'a4.ts']);
    expect(expectSameFrames(await listener.frames(), reference)).toEqual({
      firstFrame: 0,
      equalFrames: reference.length,
    });
  });
});

describe('FFmpeg alone on a pipe, the floor of all latencies', () => {
  it('gives the frames of the offline encode, each burst after some tens of milliseconds', async () => {
    const pcm = burstSignal(3);
    const { heard, sends } = await listenToBareFfmpeg(pcm, { chunkMs: 20 });
    expectSameFrames(
      heard.map((frame) => frame.aac),
      await encodeOffline(pcm),
    );
    const { eachMs, distances } = await latencies(heard, sends);
    expect(eachMs.slice(1)).toHaveLength(5);
    for (const ms of eachMs) expect(ms).toBeGreaterThan(20);
    for (const samples of distances) expect(Math.abs(samples - 24_000)).toBeLessThanOrEqual(48);
  });
});
