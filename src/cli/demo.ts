import { type Output, StatusLine, decibels, levelBar } from './terminal';
import { tuneBlock } from './tune';
import { VibeWatch } from './vibe-watch';
import { WebSocketSender } from './websocket-sender';
import type { RelayApi } from './relay-api';

export const DEMO_VIBE = 'demo';
export const DEMO_CREATOR = 'demo';

/**
 * Plays the generated tune into the vibe `demo`, through the WebSocket door like any creator, and keeps a line about
 * it up to date. Until the abort, or until the relay has refused it.
 */
export async function playDemo(api: RelayApi, output: Output, signal: AbortSignal): Promise<void> {
  const sender = new WebSocketSender({
    url: api.audioUrl(DEMO_VIBE, { creator: DEMO_CREATOR }, 'ws'),
    creator: DEMO_CREATOR,
    headers: api.credentials,
    onNote: (note) => line.note(note),
  });
  const watch = new VibeWatch(api, DEMO_VIBE);
  const line = new StatusLine(output.stderr, () => {
    const { state, listeners, participantCount, bufferedMs, rmsDbfs = -120 } = watch.now;
    return (
      `${DEMO_VIBE}: ${state}  ${levelBar(rmsDbfs, 16)} ${decibels(rmsDbfs)}  ` +
      `${listeners} listening, ${participantCount} joined  ${(bufferedMs / 1000).toFixed(1)} s buffered`
    );
  });
  const stop = (): void => {
    line.close();
    watch.close();
    sender.close();
  };
  signal.addEventListener('abort', stop);
  try {
    for (let index = 0; !signal.aborted; index += 1) await sender.send(tuneBlock(index));
  } catch (error) {
    if (!signal.aborted) line.note(`The demo has ended: ${(error as Error).message}`);
  } finally {
    stop();
    signal.removeEventListener('abort', stop);
  }
}
