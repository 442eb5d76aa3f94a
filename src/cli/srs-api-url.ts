import type { Config } from '../base/config';

/** Where SRS’s API answers: on the host that the encoders publish to. */
export function srsApiUrl({ rtmpUrl, mediaApiPort }: Config): string {
  return `http://${new URL(rtmpUrl).hostname}:${mediaApiPort}`;
}
