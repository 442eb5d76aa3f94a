import { once } from 'node:events';
import {
  type BareFfmpeg,
  listenToBareFfmpeg,
  publishByHand,
  type WarmUp,
} from '../../tests/helpers/bare-ffmpeg';
import type { Daemon } from '../../tests/helpers/daemon';
import { FlvListener, type HeardFrame } from '../../tests/helpers/flv-listener';
import { paced, type Send } from '../../tests/helpers/pacing';
import type { SrsHouse } from '../../tests/helpers/srs-house';
import { webRequest } from '../../tests/helpers/web';
import { WebSocketCreator } from '../../tests/helpers/websocket-creator';

/** What was sent and heard. Looked into only when all are done: that blocks the process, creators included. */
export interface Recording {
  readonly heard: readonly HeardFrame[];
  readonly sends: readonly Send[];
}

/** A way from a creator to a listener: plays `pcm` in 20 ms chunks under a name of its own, and keeps what is heard. */
export type Way = (name: string, pcm: Buffer, warmUp: WarmUp) => Promise<Recording>;

export const PACING = { chunkMs: 20 };

/** The floor: standard input, standard output. */
export function ffmpegAlone(ffmpeg: BareFfmpeg): Way {
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
export function ffmpegAndSrs(ffmpeg: BareFfmpeg, { srs }: SrsHouse): Way {
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
