import { once } from 'node:events';
import { type BareFfmpeg, DEFAULT_BARE, listenToBareFfmpeg, publishByHand, type WarmUp } from './bare-ffmpeg';
import type { Daemon } from './daemon';
import { delay } from './eventually';
import { FlvListener, type HeardFrame } from './flv-listener';
import { paced, type Send } from './pacing';
import type { SrsHouse } from './srs-house';
import { webRequest } from './web';
import { WebSocketCreator } from './websocket-creator';

/** What was sent and heard. Looked into only when all are done: that blocks the process, creators included. */
export interface Recording {
  readonly heard: readonly HeardFrame[];
  readonly sends: readonly Send[];
}

/** A way from a creator to a listener: plays `pcm` in 20 ms chunks under a name of its own, and keeps what is heard. */
export type Way = (name: string, pcm: Buffer, warmUp: WarmUp) => Promise<Recording>;

export const PACING = { chunkMs: 20 };

/**
 * Programs that start at once stall each other, and a vibe that ran dry in that moment holds more from then on. So all
 * start first, with a second of silence; then their creators are away for so long that each vibe begins anew.
 */
const WARM_UP = Buffer.alloc(48_000 * 4);
const AWAY_MS = 1_500;

/**
 * What each of `parties` does before its audio: a second of silence, then waits until all have been away.
 * @returns called with how much later than the first a party begins
 */
export function warmUpTogether(parties: number): (offsetMs?: number) => WarmUp {
  let arrived = 0;
  let begin: () => void;
  const allAway = new Promise<void>((resolve) => (begin = resolve));
  return (offsetMs = 0) =>
    async (send) => {
      await paced(WARM_UP, PACING, send);
      arrived += 1;
      if (arrived === parties) void delay(AWAY_MS).then(() => begin());
      await allAway;
      if (offsetMs > 0) await delay(offsetMs);
    };
}

/** The floor: standard input, standard output. */
export function ffmpegAlone(ffmpeg: BareFfmpeg = DEFAULT_BARE): Way {
  return (_name, pcm, warmUp) => listenToBareFfmpeg(pcm, PACING, warmUp, ffmpeg);
}

/** What a media server costs, with no relay before it. */
export function ffmpegByHand(ffmpeg: BareFfmpeg, daemon: Daemon): Way {
  return async (name, pcm, warmUp) => {
    // Who asks a moment too early is held until somebody publishes.
    const listening = FlvListener.connect(daemon.flvUrl(name));
    const rtmpUrl = `rtmp://127.0.0.1:${daemon.rtmpPort}/live/${name}`;
    const sends = publishByHand(pcm, PACING, rtmpUrl, warmUp, ffmpeg);
    const listener = await listening;
    const sent = await sends;
    // The stream outlives its publisher for a while, should that come back.
    listener.leave();
    return { heard: listener.frames, sends: sent };
  };
}

/** The same with SRS. */
export function ffmpegAndSrs({ srs }: SrsHouse, ffmpeg: BareFfmpeg = DEFAULT_BARE): Way {
  return async (name, pcm, warmUp) => {
    const listener = await FlvListener.join(srs.flvUrl(name));
    const sends = await publishByHand(pcm, PACING, srs.rtmpUrl(name), warmUp, ffmpeg);
    await listener.end();
    return { heard: listener.frames, sends };
  };
}

/** The relay, one binary WebSocket message a chunk. */
export function relayWebSocket(daemon: Daemon): Way {
  return throughRelay(daemon, async (vibeId, pcm, warmUp) => {
    const creator = await WebSocketCreator.connect(daemon.target(vibeId));
    await creator.message('ready');
    const send = (chunk: Buffer): void => creator.send(chunk);
    await warmUp(send);
    const sends = await paced(pcm, PACING, send);
    await creator.close();
    return sends;
  });
}

/** The relay, one chunked POST for everything. */
export function relayPost(daemon: Daemon): Way {
  return throughRelay(daemon, async (vibeId, pcm, warmUp) => {
    const request = webRequest(`${daemon.apiUrl}/stream/${vibeId}/audio`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'audio/pcm' },
    });
    request.setNoDelay(true);
    const answered = once(request, 'response');
    answered.catch(() => undefined);
    const send = (chunk: Buffer): void => void request.write(chunk);
    await warmUp(send);
    const sends = await paced(pcm, PACING, send);
    request.end();
    const [answer] = (await answered) as [{ statusCode?: number; resume(): void }];
    answer.resume();
    if (answer.statusCode !== 202) throw new Error(`${vibeId}: the POST was answered ${answer.statusCode}`);
    return sends;
  });
}

function throughRelay(
  daemon: Daemon,
  send: (vibeId: string, pcm: Buffer, warmUp: WarmUp) => Promise<Send[]>,
): Way {
  return async (vibeId, pcm, warmUp) => {
    await daemon.startVibe(vibeId);
    const listener = await daemon.listen(vibeId);
    const sends = await send(vibeId, pcm, warmUp);
    await daemon.endVibe(vibeId);
    await listener.end();
    return { heard: listener.frames, sends };
  };
}
