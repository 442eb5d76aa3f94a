import type { Clock } from '../base/clock';
import type { Config } from '../base/config';
import type { Logger } from '../base/logger';
import type { Metrics } from '../base/metrics';
import type { MediaServer } from './media-server';
import { SrsMediaServer } from './srs';
import { SrsApi } from './srs/api';
import type { FfmpegTools } from './srs/ffmpeg-child';
import type { HookDesk } from './srs/hook-desk';
import { RtcGateway } from './srs/rtc-gateway';
import { WHEP_VHOST } from './srs/whep-room';
import { WHIP_VHOST } from './srs/whip-session';

export interface RtcParts {
  readonly config: Config;
  readonly mediaServer: MediaServer;
  readonly hooks: HookDesk;
  readonly tools: FfmpegTools;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** WebRTC by way of the media server. @returns nothing where that has none */
export function createRtc(parts: RtcParts): RtcGateway | undefined {
  const { config, mediaServer, hooks, clock } = parts;
  if (!(mediaServer instanceof SrsMediaServer)) return undefined;
  const apiUrl = `http://${new URL(config.rtmpUrl).hostname}:${config.mediaApiPort}`;
  const gateway = new RtcGateway({
    ...parts,
    apiUrl,
    api: new SrsApi({ baseUrl: apiUrl, clock }),
    rtmpUrl: config.rtmpUrl,
    rtcPort: config.rtcPort,
    holdSeconds: config.holdSeconds,
    ownPlayerQuery: mediaServer.ownPlayerQuery,
    onListeners: (vibeId) => mediaServer.browsersChanged(vibeId),
  });
  mediaServer.countBrowsers((vibeId) => gateway.listenersOf(vibeId));
  hooks.serve(WHIP_VHOST, gateway.whipHooks);
  hooks.serve(WHEP_VHOST, gateway.whepHooks);
  return gateway;
}
