import type { Config } from '../base/config';

/** Every URL that is handed out. Vibe ids are safe in a path as they are. */
export class Urls {
  readonly #config: Pick<Config, 'publicUrl' | 'playbackUrl' | 'rtmpUrl'>;

  constructor(config: Pick<Config, 'publicUrl' | 'playbackUrl' | 'rtmpUrl'>) {
    this.#config = config;
  }

  /** HTTP-FLV. @param ticket what plays a private vibe */
  streaming(vibeId: string, ticket?: string): string {
    return `${this.#config.playbackUrl}/live/${vibeId}.flv${shown(ticket)}`;
  }

  /** @param ticket as in `streaming` */
  hls(vibeId: string, ticket?: string): string {
    return `${this.#config.playbackUrl}/live/${vibeId}.m3u8${shown(ticket)}`;
  }

  rtmp(vibeId: string): string {
    return `${this.#config.rtmpUrl}/${vibeId}`;
  }

  /** The page with the play button. */
  listen(vibeId: string): string {
    return `${this.#config.publicUrl}/listen/${vibeId}`;
  }

  /** Where a participant takes its lease. */
  join(vibeId: string): string {
    return `${this.#config.publicUrl}/stream/${vibeId}/join`;
  }
}

function shown(ticket: string | undefined): string {
  return ticket === undefined ? '' : `?token=${ticket}`;
}
