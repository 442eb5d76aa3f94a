import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import { sampleBytes } from '../audio/pcm';
import { WavReader } from '../audio/wav';
import { Problem } from '../base/errors';
import type { Vibe } from '../vibes/vibe';
import type { VibeState } from '../vibes/vibe-state';
import { admit } from './admission';
import { checkLength, outlastsBuffer, rawChunk, wavChunk } from './audio-json';
import { readAudioBody } from './audio-json-cut';
import { type AudioPost, MAX_CHUNK_BYTES, readAudioPost, type Taken } from './audio-post';
import { BodyAborted, BodyReader } from './body-reader';
import type { HttpContext } from './context';
import { ingestStream } from './ingest-stream';
import { announcedLength } from './request-body';

/** What the audio door answers with. */
export interface Receipt {
  readonly success: true;
  readonly vibeId: string;
  /** Bytes of audio. */
  readonly accepted: number;
  /** The chunk's number was taken before: it is not played again. */
  readonly duplicate?: true;
  readonly bufferedMs: number;
  readonly sequence: number;
  readonly state: VibeState;
  readonly isStreaming: boolean;
  readonly participantCount: number;
  /** Epoch milliseconds. */
  readonly timestamp: number;
}

/** `POST /stream/:vibeId/audio`, for requests that come by way of Express. */
export function audioDoor(context: HttpContext): RequestHandler {
  return async (req, res) => {
    const receipt = await takeAudio(req, res, req.params['vibeId'] as string, context);
    if (receipt) res.status(202).json(receipt);
  };
}

/**
 * PCM in, raw, as WAV, or as base64 in JSON; short chunks and endless streams.
 * @returns nothing where the client went away
 * @throws {Problem} as the contract has it
 */
export async function takeAudio(
  req: IncomingMessage,
  res: ServerResponse,
  vibeId: string,
  context: HttpContext,
): Promise<Receipt | undefined> {
  const reader = new BodyReader(req, res, context);
  try {
    const admitted = admit(req, { role: 'creator', vibeId }, context);
    const grant = admitted instanceof Promise ? await admitted : admitted;
    const post = readAudioPost(req, vibeId, context, reader, grant);
    const taken = await take(req, post, context);
    return taken && receiptOf(taken, context);
  } finally {
    reader.close();
  }
}

/** @returns nothing where the client went away */
async function take(req: IncomingMessage, post: AudioPost, context: HttpContext): Promise<Taken | undefined> {
  const { reader, wrapping, sequence } = post;
  const isShort = (announcedLength(req) ?? Infinity) <= MAX_CHUNK_BYTES;
  if (wrapping !== 'json' && !isShort && sequence === undefined) return ingestStream(post, context);
  const parts: Buffer[] = [];
  try {
    const body = await reader.whole(MAX_CHUNK_BYTES, (part) => parts.push(part));
    return await takeChunk(body, post, context);
  } catch (error) {
    if (!(error instanceof BodyAborted)) throw error;
    salvage(Buffer.concat(parts), post, context);
    return undefined;
  }
}

/** A chunk is taken whole or not at all, unless the buffer could never hold it: then it plays like a stream. */
async function takeChunk(body: Buffer, post: AudioPost, context: HttpContext): Promise<Taken | undefined> {
  const { vibeId, claim } = post;
  const { registry, config } = context;
  if (post.wrapping === 'json') {
    const chunk = readAudioBody(body, post.said);
    const { creator = claim.creator, sequence = post.sequence, format, bytes } = chunk;
    checkLength(chunk, config);
    return push(registry.accept(vibeId, { ...claim, creator }, format), bytes, sequence);
  }
  const chunk = post.format ? rawChunk(body, post.format) : wavChunk(body);
  if (post.sequence === undefined && outlastsBuffer(chunk, config)) return ingestStream(post, context, body);
  checkLength(chunk, config);
  return push(registry.accept(vibeId, claim, chunk.format), chunk.bytes, post.sequence);
}

function push(vibe: Vibe, bytes: Buffer, sequence: number | undefined): Taken {
  return { vibe, ...vibe.push(bytes, { door: 'post', ...(sequence === undefined ? {} : { sequence }) }) };
}

/**
 * Plays what arrived whole of a body that broke off, and counts the rest. A numbered chunk is not played: its sender
 * will send the number again, and would be told that it was taken.
 */
function salvage(body: Buffer, post: AudioPost, { registry, metrics, logger }: HttpContext): void {
  const { vibeId, claim, reader, sequence } = post;
  try {
    const wav = post.wrapping === 'wav' ? new WavReader() : undefined;
    const audio = wav ? wav.push(body) : body;
    const format = wav ? wav.format : post.format;
    const whole = format ? audio.length - (audio.length % sampleBytes(format)) : 0;
    if (format && whole > 0 && sequence === undefined) {
      const vibe = registry.accept(vibeId, claim, format);
      vibe.push(audio.subarray(0, whole), { door: 'post' });
      vibe.countTruncated(audio.length - whole + reader.missingBytes, 'post');
      return;
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    logger.debug({ vibeId, code: error.code }, 'a body that broke off was not played');
  }
  metrics.ingestTruncatedBytes.inc(body.length + reader.missingBytes);
}

function receiptOf({ vibe, accepted, duplicate, sequence }: Taken, { clock }: HttpContext): Receipt {
  return {
    success: true,
    vibeId: vibe.id,
    accepted,
    ...(duplicate ? { duplicate } : {}),
    bufferedMs: vibe.bufferedMs,
    sequence,
    state: vibe.state,
    isStreaming: vibe.isStreaming,
    participantCount: vibe.participants.count,
    timestamp: clock.epochMs(),
  };
}
