import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { LevelMeter } from '../../audio/level';
import { DEFAULT_FORMAT } from '../../audio/pcm';
import type { Config } from '../../base/config';
import { AUDIO_TAG, FlvParser, aacFrame, adtsFrame, isAac, isAacConfig } from '../../media-server/flv';
import { pause } from '../pause';
import { ownToken } from '../own-token';
import { RelayApi, localUrl, reason } from '../relay-api';
import { type Check, fail, ok } from './check';

/** Longer than it takes to see that it is on air and to connect, also on a busy machine. */
const TONE_SECONDS = 5;
const TONE_HERTZ = 440;
/** What is sent, and what must be heard of it after the encoder. */
const TONE_DBFS = -12;
const HEARD_DBFS = -30;
const WITHIN_MS = 15_000;
const POLL_MS = 250;

/**
 * The whole way of the audio: a tone is sent into a vibe of the doctor's own, must be heard on HTTP-FLV at the media
 * server and on HTTP-FLV and HLS where the relay sends its listeners, and the vibe is ended.
 * @param ffmpeg decodes what is heard
 */
export async function checkLive(config: Config, ffmpeg: string): Promise<Check[]> {
  const api = new RelayApi(localUrl(config), await ownToken(config, 'doctor'));
  const vibeId = `doctor-${randomUUID().slice(0, 8)}`;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), WITHIN_MS);
  const { signal } = abort;
  try {
    const { streamingUrl = '', hlsUrl = '' } = await api.start(vibeId, { creator: 'doctor' });
    await send(api, vibeId);
    const checks = [ok('live: ingest', `${TONE_SECONDS} s of tone were taken into ${vibeId}`)];
    const encoder = await untilPublished(api, vibeId, signal);
    if (encoder.result === 'fail') return [...checks, encoder];
    const direct = `http://${mediaHost(config)}:${config.mediaHttpPort}/live/${vibeId}.flv`;
    const hearing = [
      listen('live: FLV at the media server', direct, () => hearFlv(direct, ffmpeg, signal)),
      ...(streamingUrl === direct
        ? []
        : [listen('live: FLV', streamingUrl, () => hearFlv(streamingUrl, ffmpeg, signal))]),
      listen('live: HLS', hlsUrl, () => hearHls(hlsUrl, ffmpeg, signal)),
    ];
    return [...checks, encoder, ...(await Promise.all(hearing))];
  } catch (error) {
    abort.abort();
    return [fail('live: ingest', (error as Error).message, 'the check "daemon" says more')];
  } finally {
    clearTimeout(timer);
    await api.end(vibeId, { creator: 'doctor', drain: false }).catch(() => undefined);
  }
}

function mediaHost({ mediaServer, rtmpUrl, host }: Config): string {
  if (mediaServer === 'srs') return new URL(rtmpUrl).hostname;
  return host === '0.0.0.0' || host === '::' ? 'localhost' : host;
}

async function send(api: RelayApi, vibeId: string): Promise<void> {
  const path = api.audioUrl(vibeId, { creator: 'doctor' }, 'http').slice(api.url.length);
  const headers = { 'content-type': 'audio/pcm' };
  await api.call(path, { method: 'POST', headers, body: new Uint8Array(tone()) });
}

/**
 * Waits until FFmpeg says that what it published moves on: players that come before their stream get other answers than
 * those that come after, and are not what is looked at here.
 */
async function untilPublished(api: RelayApi, vibeId: string, signal: AbortSignal): Promise<Check> {
  const name = 'live: encoder';
  let state = '';
  while (!signal.aborted) {
    const status = (await api.status(vibeId)) as { encoder?: { state?: string } | null } | undefined;
    state = status?.encoder?.state ?? 'gone';
    if (state === 'running') return ok(name, 'FFmpeg publishes');
    await pause(POLL_MS, signal);
  }
  const remedy = 'the daemon’s log has FFmpeg’s last words; the check of the media server says more';
  return fail(name, `FFmpeg is ${state}, and nothing is published`, remedy);
}

/** A sine in the format that creators send unless they say otherwise. */
function tone(): Buffer {
  const { sampleRate } = DEFAULT_FORMAT;
  const amplitude = 10 ** (TONE_DBFS / 20) * 32_767;
  const pcm = Buffer.alloc(TONE_SECONDS * sampleRate * 4);
  for (let at = 0; at < TONE_SECONDS * sampleRate; at += 1) {
    const value = Math.round(amplitude * Math.sin((2 * Math.PI * TONE_HERTZ * at) / sampleRate));
    pcm.writeInt16LE(value, at * 4);
    pcm.writeInt16LE(value, at * 4 + 2);
  }
  return pcm;
}

async function listen(name: string, url: string, hear: () => Promise<number>): Promise<Check> {
  const startedMs = performance.now();
  const remedy = 'follow it: the media server’s log, then nginx’s; docs/operations.md, troubleshooting';
  try {
    const dbfs = await hear();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    if (dbfs >= HEARD_DBFS) return ok(name, `heard at ${dbfs.toFixed(0)} dBFS after ${seconds} s`);
    return fail(name, `${url} is on air, but the tone is not in it`, remedy);
  } catch (error) {
    return fail(name, `${url}: ${reason(error)}`, remedy);
  }
}

/** @returns the peak of the tone once it was heard, else of what was */
async function hearFlv(url: string, ffmpeg: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(url, { signal }).catch(rethrow(signal, 'no answer'));
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  const frames: Buffer[] = [];
  const parser = new FlvParser({
    onTag: ({ type, body }) => {
      if (type === AUDIO_TAG && isAac(body) && !isAacConfig(body))
        frames.push(adtsFrame(Buffer.from(aacFrame(body))));
    },
  });
  let decoded = 0;
  let peak = -Infinity;
  try {
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      parser.push(Buffer.from(bytes));
      // Half a second more each time: the first frames are the encoder’s own silence.
      if (frames.length < decoded + 24) continue;
      decoded = frames.length;
      peak = await peakOf(Buffer.concat(frames), ffmpeg);
      if (peak >= HEARD_DBFS) return peak;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (frames.length === 0) throw new Error('it was connected, but no audio came');
  return peak;
}

/** @returns as `hearFlv`, from the segments of the playlist */
async function hearHls(url: string, ffmpeg: string, signal: AbortSignal): Promise<number> {
  const heard = new Set<string>();
  let peak = -Infinity;
  let last = 'no playlist';
  while (!signal.aborted) {
    const playlist = await fetch(url, { signal }).catch(rethrow(signal, last));
    const text = await playlist.text();
    last = playlist.ok ? 'a playlist without segments' : `answered ${playlist.status}`;
    const segments = playlist.ok ? text.split('\n').filter((line) => line && !line.startsWith('#')) : [];
    for (const name of segments.filter((segment) => !heard.has(segment))) {
      const segment = await fetch(new URL(name, url), { signal }).catch(rethrow(signal, last));
      if (!segment.ok) throw new Error(`its segment ${name} answered ${segment.status}`);
      heard.add(name);
      peak = Math.max(peak, await peakOf(Buffer.from(await segment.arrayBuffer()), ffmpeg));
      if (peak >= HEARD_DBFS) return peak;
    }
    await pause(POLL_MS, signal);
  }
  if (heard.size === 0) throw new Error(last);
  return peak;
}

function rethrow(signal: AbortSignal, last: string): (error: unknown) => never {
  return (error) => {
    throw signal.aborted ? new Error(`${last} within ${WITHIN_MS / 1000} s`) : error;
  };
}

/** The loudest tenth of a second of ADTS or MPEG-TS, in dBFS. */
async function peakOf(bytes: Buffer, ffmpeg: string): Promise<number> {
  const args = ['-hide_banner', '-loglevel', 'error', '-i', 'pipe:0', '-vn'];
  const output = ['-f', 's16le', '-ar', '48000', '-ac', '2', 'pipe:1'];
  const child = spawn(ffmpeg, [...args, ...output], { stdio: ['pipe', 'pipe', 'ignore'] });
  // An FFmpeg that could not read it all has said so by what it did not decode.
  child.stdin.on('error', () => undefined);
  child.stdin.end(bytes);
  let peak = -Infinity;
  const meter = new LevelMeter(DEFAULT_FORMAT, ({ peakDbfs }) => (peak = Math.max(peak, peakDbfs)));
  const pcm: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => pcm.push(part));
  await new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
  const all = Buffer.concat(pcm);
  meter.measure(all.subarray(0, all.length & ~3));
  return peak;
}
