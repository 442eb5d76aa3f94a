import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Grant } from '../auth/grant';
import { Problem } from '../base/errors';
import type { Claim } from '../vibes/ownership';
import { bearerOf } from './admission';
import type { SaidFormat } from './audio-format';
import { type MediaType, parseMediaType } from './media-type';
import { checkCoding } from './request-body';
import { checkName } from './schemas';

/** How the audio of a request is wrapped. */
export type Wrapping = 'raw' | 'wav' | 'json';

const WRAPPINGS: Readonly<Record<string, Wrapping>> = {
  'audio/pcm': 'raw',
  'audio/l16': 'raw',
  'application/octet-stream': 'raw',
  'audio/wav': 'wav',
  'audio/wave': 'wav',
  'audio/x-wav': 'wav',
  'audio/vnd.wave': 'wav',
  'application/json': 'json',
};

/**
 * The query of a request's URL, each name once.
 * @throws {Problem} `invalid-field` (400) for a name that stands there twice
 */
export function readQuery(req: IncomingMessage): ReadonlyMap<string, string> {
  const url = req.url ?? '';
  const start = url.indexOf('?');
  const query = new Map<string, string>();
  if (start < 0) return query;
  for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
    if (query.has(name))
      throw new Problem('invalid-field', `The query says ${JSON.stringify(name.slice(0, 64))} twice.`);
    query.set(name, value);
  }
  return query;
}

/** How audio of this media type is wrapped. @throws {Problem} `unsupported-format` (415) */
export function wrappingOf(media: MediaType): Wrapping {
  const wrapping = Object.hasOwn(WRAPPINGS, media.type) ? WRAPPINGS[media.type] : undefined;
  if (wrapping) return wrapping;
  throw new Problem(
    'unsupported-format',
    `Audio cannot be sent as ${JSON.stringify(media.type.slice(0, 64))}; use one of ${Object.keys(WRAPPINGS).join(', ')}.`,
  );
}

/** The media type of a body; raw bytes where it is not said. @throws {Problem} `unsupported-format` (415) */
export function mediaTypeOf(headers: IncomingHttpHeaders): MediaType {
  const media = parseMediaType(headers['content-type'] || 'application/octet-stream');
  if (!media) throw new Problem('unsupported-format', 'The Content-Type cannot be understood.');
  checkCoding(headers);
  return media;
}

/** What query and media type say of raw samples. The query has the last word. */
export function saidFormat(query: ReadonlyMap<string, string>, media?: MediaType): SaidFormat {
  const hints = mediaHints(media);
  return {
    format: query.get('format') ?? hints.format,
    endian: query.get('endian') ?? hints.endian,
    sampleRate: query.get('sampleRate') ?? query.get('rate') ?? hints.sampleRate,
    channels: query.get('channels') ?? hints.channels,
  };
}

/** What the parameters of a media type say: `audio/l16;rate=48000;channels=2`, under the names in use. */
export function mediaHints(media?: MediaType): SaidFormat {
  const parameters = media?.parameters;
  return {
    format: parameters?.get('format'),
    endian: parameters?.get('endian') ?? parameters?.get('endianness'),
    sampleRate: parameters?.get('rate') ?? parameters?.get('samplerate'),
    channels: parameters?.get('channels'),
  };
}

/**
 * Who sends: `?creator=` or `X-Creator`, and the owner key as bearer token (or `?token=`, which is what browsers can
 * send with a WebSocket).
 * @param grant of a signed token, which then decides instead of an owner key
 * @throws {Problem} `invalid-field` (400)
 */
export function claimOf(req: IncomingMessage, query: ReadonlyMap<string, string>, grant?: Grant): Claim {
  const header = req.headers['x-creator'];
  const said = query.get('creator') || (typeof header === 'string' ? headerText(header) : undefined);
  const creator = said ? checkName(said, 'creator') : undefined;
  const named = creator === undefined ? {} : { creator };
  if (grant) return { ...named, bearer: { subject: grant.subject, isAdmin: grant.role === 'admin' } };
  const ownerKey = bearerOf(req) ?? (query.get('token') || undefined);
  return { ...named, ...(ownerKey === undefined ? {} : { ownerKey }) };
}

/**
 * The number of a chunk, from `?sequence=` or `X-Sequence`.
 * @throws {Problem} `invalid-sequence` (400) unless it is a whole number from 0 to 2^53 - 1
 */
export function sequenceOf(req: IncomingMessage, query: ReadonlyMap<string, string>): number | undefined {
  const header = req.headers['x-sequence'];
  const text = query.get('sequence') ?? (typeof header === 'string' ? header.trim() : undefined);
  if (text === undefined) return undefined;
  return checkSequence(/^\d{1,16}$/.test(text) ? Number(text) : Number.NaN);
}

/** @throws {Problem} `invalid-sequence` (400) */
export function checkSequence(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new Problem('invalid-sequence', 'A sequence number is a whole number from 0 to 9007199254740991.');
}

/** Headers come as Latin-1; names beyond ASCII are UTF-8 in truth, as curl and fetch polyfills send them. */
function headerText(header: string): string {
  const bytes = Buffer.from(header, 'latin1');
  const text = bytes.toString('utf8');
  return text.includes('\uFFFD') ? header : text;
}
