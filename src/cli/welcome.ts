import type { Config } from '../base/config';
import { localUrl } from './relay-api';

/**
 * What to do next, for the person who has just started the daemon: every line can be pasted as it is.
 * @param options.vibeId the vibe of the examples
 * @param options.playing whether something already plays into it, so that listening comes first
 */
export function welcome(
  config: Pick<Config, 'host' | 'port' | 'publicUrl' | 'playbackUrl'>,
  options: { vibeId?: string; playing?: boolean } = {},
): string {
  const vibeId = options.vibeId ?? 'hello';
  const local = localUrl(config).replace('//127.0.0.1:', '//localhost:');
  const door = `${local}/stream/${vibeId}/audio?creator=me`;
  const send = [
    options.playing ? 'Send audio of your own:' : 'Send it some audio (a tune, then any WAV file of yours):',
    `  npx vibesflow tune | curl -X POST -T - -H 'Content-Type: audio/wav' '${door}'`,
    `  curl -X POST -T song.wav -H 'Content-Type: audio/wav' '${door}'`,
  ];
  const listen = [
    options.playing
      ? `A tune plays into the vibe ${vibeId}. Listen:`
      : 'Listen, in a browser or in any player:',
    `  ${config.publicUrl}/listen/${vibeId}`,
    `  ${config.playbackUrl}/live/${vibeId}.flv`,
    `  ${config.playbackUrl}/live/${vibeId}.m3u8`,
  ];
  const parts = options.playing ? [listen] : [send, listen];
  return [
    `The relay is ready. Dashboard: ${config.publicUrl}/`,
    ...parts.flatMap((part) => ['', ...part]),
    '',
    'Stop with Ctrl-C.',
    '',
  ].join('\n');
}
