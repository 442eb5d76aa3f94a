import path from 'node:path';
import type { Clock } from '../base/clock';
import type { Config } from '../base/config';
import type { Logger } from '../base/logger';
import type { Metrics } from '../base/metrics';
import { version } from '../base/version';
import { EmbeddedMediaServer } from './embedded';
import { SrsMediaServer } from './srs';
import { hlsDirectory } from './srs/conf';
import { HlsFiles } from './srs/hls-files';
import { DEFAULT_VHOST } from './srs/hook';
import type { HookDesk } from './srs/hook-desk';
import { idleHooks } from './srs/idle-hooks';

export interface MediaServerParts {
  readonly config: Config;
  readonly hooks: HookDesk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The media server that the settings ask for, not started yet. */
export function createMediaServer(parts: MediaServerParts): EmbeddedMediaServer | SrsMediaServer {
  const { config, hooks } = parts;
  if (config.mediaServer === 'embedded') {
    hooks.serve(DEFAULT_VHOST, idleHooks);
    return new EmbeddedMediaServer({
      ...parts,
      rtmpPort: config.rtmpPort,
      rtmpUrl: config.rtmpUrl,
      httpHost: config.host,
      httpPort: config.mediaHttpPort,
      onlyExpected: config.authMode === 'token',
      pidFile: path.join(config.dataDir, `media-server-${config.rtmpPort}.json`),
      version,
    });
  }
  return new SrsMediaServer({
    ...parts,
    rtmpUrl: config.rtmpUrl,
    apiPort: config.mediaApiPort,
    isLocal: config.srsDriver === 'binary',
    hlsFiles: hlsFiles(parts),
  });
}

/** An SRS that the relay's supervisor runs as a program of this machine writes below `DATA_DIR`; another one elsewhere. */
function hlsFiles({ config, clock, logger }: MediaServerParts): HlsFiles | undefined {
  if (config.srsDriver !== 'binary') return undefined;
  const app = new URL(config.rtmpUrl).pathname;
  const directory = path.join(hlsDirectory(path.join(config.dataDir, 'srs')), app);
  return new HlsFiles({ directory, clock, logger });
}
