import { type PcmFormat, sameFormat, sampleBytes } from '../audio/pcm';
import { WavReader } from '../audio/wav';
import type { Config } from '../base/config';
import { Problem } from '../base/errors';
import { resolveFormat, type SaidFormat } from './audio-format';
import { checkSequence, mediaHints, wrappingOf } from './audio-request';
import { decodeBase64 } from './base64';
import { parseMediaType } from './media-type';
import { type AudioBody, audioBody, validate } from './schemas';

/** A whole chunk: whole samples, at least one. */
export interface AudioChunk {
  readonly format: PcmFormat;
  readonly bytes: Buffer;
}

/** What a JSON body carries. */
export interface JsonAudio extends AudioChunk {
  readonly creator: string | undefined;
  readonly sequence: number | undefined;
}

/**
 * Understands a JSON body of the audio door: one piece of base64 audio, or a Lyria message with several in order.
 * @param query what the URL says of the format, where the body says nothing
 * @param audioOf the bytes that a member's text stands for
 * @throws {Problem} `invalid-field`, `invalid-audio-data`, `invalid-sequence` (400), `format-changed` (409),
 *   `unsupported-format` (415), `torn-sample`, `empty-audio` (422)
 */
export function readAudioJson(
  value: unknown,
  query: SaidFormat = {},
  audioOf: (text: string) => Buffer = decodeBase64,
): JsonAudio {
  const body = validate(audioBody, value);
  const chunks = piecesOf(body).map(({ data, mimeType }) =>
    readChunk(audioOf(data), mimeType ?? body.mimeType ?? undefined, body, query),
  );
  const format = (chunks[0] as AudioChunk).format;
  if (chunks.some((chunk) => !sameFormat(chunk.format, format)))
    throw new Problem('format-changed', 'The chunks of one message must have one format.');
  return {
    format,
    bytes:
      chunks.length === 1 ? (chunks[0] as AudioChunk).bytes : Buffer.concat(chunks.map(({ bytes }) => bytes)),
    creator: body.creator,
    sequence:
      body.sequence === undefined || body.sequence === null ? undefined : checkSequence(body.sequence),
  };
}

function piecesOf(body: AudioBody): { data: string; mimeType?: string | null | undefined }[] {
  const content = body.serverContent;
  const pieces = [...(content?.audioChunks ?? []), ...(content?.audioChunk ? [content.audioChunk] : [])];
  const data = body.audioData ?? body.data ?? body.audio;
  if (typeof data === 'string') pieces.push({ data });
  if (pieces.length > 0) return pieces;
  throw new Problem('invalid-field', 'audioData: is missing; it holds the audio in base64.');
}

function readChunk(
  bytes: Buffer,
  mimeType: string | undefined,
  body: AudioBody,
  query: SaidFormat,
): AudioChunk {
  const media = mimeType ? parseMediaType(mimeType) : undefined;
  if (mimeType && !media) throw new Problem('unsupported-format', 'The mimeType cannot be understood.');
  const wrapping = media ? wrappingOf(media) : 'raw';
  if (wrapping === 'json') throw new Problem('unsupported-format', 'Audio within JSON must not be JSON.');
  if (wrapping === 'wav') return wavChunk(bytes);
  const hints = mediaHints(media);
  return rawChunk(
    bytes,
    resolveFormat({
      format: body.format ?? query.format ?? hints.format,
      endian: body.endian ?? query.endian ?? hints.endian,
      sampleRate: body.sampleRate ?? query.sampleRate ?? hints.sampleRate,
      channels: body.channels ?? query.channels ?? hints.channels,
    }),
  );
}

/**
 * Checks that bytes are whole samples.
 * @throws {Problem} `empty-audio`, `torn-sample` (422)
 */
export function rawChunk(bytes: Buffer, format: PcmFormat): AudioChunk {
  if (bytes.length === 0) throw new Problem('empty-audio', 'There is no audio in this chunk.');
  const torn = bytes.length % sampleBytes(format);
  if (torn > 0) throw tornSample(torn, format);
  return { bytes, format };
}

/** The audio of a whole WAV. @throws {Problem} as `WavReader.push` and `rawChunk` */
export function wavChunk(bytes: Buffer): AudioChunk {
  const wav = new WavReader();
  const audio = wav.push(bytes);
  if (wav.format) return rawChunk(audio, wav.format);
  if (bytes.length === 0) throw new Problem('empty-audio', 'There is no audio in this chunk.');
  throw new Problem('invalid-audio-data', 'This WAV ends within its header.');
}

/** Whether a chunk is longer than all that a buffer holds: it would find no room however often it is sent. */
export function outlastsBuffer(
  { bytes, format }: AudioChunk,
  { maxBufferSeconds }: Pick<Config, 'maxBufferSeconds'>,
): boolean {
  return bytes.length / sampleBytes(format) > maxBufferSeconds * format.sampleRate;
}

/** @throws {Problem} `too-large` (413) for a chunk that outlasts the buffer */
export function checkLength(chunk: AudioChunk, config: Pick<Config, 'maxBufferSeconds'>): void {
  if (!outlastsBuffer(chunk, config)) return;
  throw new Problem('too-large', `A chunk must not be longer than ${config.maxBufferSeconds} s, the buffer.`);
}

export function tornSample(bytesOver: number, format: PcmFormat): Problem {
  return new Problem(
    'torn-sample',
    `The audio ends within a sample: ${bytesOver} of its ${sampleBytes(format)} bytes are there.`,
  );
}
