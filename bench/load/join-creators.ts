/*
 * A process of creators whose vibes somebody joins: told where, it sends until it is killed. Apart from who joins, because
 * two seconds of audio as JSON take milliseconds to make.
 */
import { publishByHand } from '../../tests/helpers/bare-ffmpeg';
import { postJson, postRaw, webSocket } from '../../tests/helpers/creators';
import { music } from '../../tests/helpers/music';
import { answerQuestions } from '../lib/asked-process';
import type { JoinPlay } from '../lib/join-messages';

const SENDERS = { websocket: webSocket(), posts: postRaw, json: postJson };
const PIECE_SECONDS = 20;

answerQuestions<JoinPlay, string>(({ apiUrl, byHandUrl, seconds, vibes }) => {
  const pieces = Math.ceil(seconds / PIECE_SECONDS);
  const pcm = Buffer.concat(Array<Buffer>(pieces).fill(music(PIECE_SECONDS, 23)));
  const sent = vibes.map(({ vibeId, door, chunkMs }) => SENDERS[door]({ apiUrl, vibeId }, pcm, { chunkMs }));
  for (const each of [...sent, publishByHand(pcm, { chunkMs: 20 }, byHandUrl)])
    each.catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  return Promise.resolve('under way');
});
