import type { IncomingMessage } from 'node:http';
import type { PcmFormat } from '../audio/pcm';
import type { Grant } from '../auth/grant';
import { Problem } from '../base/errors';
import type { Claim } from '../vibes/ownership';
import type { Vibe } from '../vibes/vibe';
import { resolveFormat, type SaidFormat } from './audio-format';
import {
  claimOf,
  mediaTypeOf,
  readQuery,
  saidFormat,
  sequenceOf,
  type Wrapping,
  wrappingOf,
} from './audio-request';
import type { BodyReader } from './body-reader';
import type { HttpContext } from './context';
import { announcedLength, hasBody } from './request-body';

/** A body that announces no more is one chunk: read whole, played whole or not at all. */
export const MAX_CHUNK_BYTES = 2 * 1024 * 1024;

/** A POST to the audio door, understood as far as its head goes. */
export interface AudioPost {
  readonly vibeId: string;
  readonly wrapping: Wrapping;
  readonly claim: Claim;
  readonly sequence: number | undefined;
  /** Of raw samples; a WAV brings its own. */
  readonly format: PcmFormat | undefined;
  /** What the URL says of the format. */
  readonly said: SaidFormat;
  readonly reader: BodyReader;
}

/** What was taken of a body, for the answer. */
export interface Taken {
  readonly vibe: Vibe;
  /** Bytes of audio; 0 for a number that was known already. */
  readonly accepted: number;
  readonly duplicate: boolean;
  readonly sequence: number;
}

/** Everything that can be refused before the body is read. @param grant of the request's token, where one is asked for */
export function readAudioPost(
  req: IncomingMessage,
  vibeId: string,
  { registry }: HttpContext,
  reader: BodyReader,
  grant?: Grant,
): AudioPost {
  const query = readQuery(req);
  const media = mediaTypeOf(req.headers);
  const wrapping = wrappingOf(media);
  const claim = claimOf(req, query, grant);
  const sequence = sequenceOf(req, query);
  const format = wrapping === 'raw' ? resolveFormat(saidFormat(query, media)) : undefined;
  if (!hasBody(req)) throw new Problem('empty-audio', 'There is no audio in this request.');
  const length = announcedLength(req) ?? 0;
  const isChunk = wrapping === 'json' || sequence !== undefined;
  if (isChunk && length > MAX_CHUNK_BYTES)
    throw new Problem(
      'too-large',
      `JSON and numbered chunks must not be longer than ${MAX_CHUNK_BYTES} bytes.`,
    );
  if (format) registry.check(vibeId, claim, format);
  return { vibeId, wrapping, claim, sequence, format, said: saidFormat(query), reader };
}
