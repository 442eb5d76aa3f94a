import { DEFAULT_FORMAT, parseFormat, type PcmFormat, SAMPLE_FORMATS } from '../audio/pcm';
import { Problem } from '../base/errors';

/** What a client says of its audio. Anything may be left out. */
export interface SaidFormat {
  readonly format?: string | undefined;
  /** `little` or `big`. */
  readonly endian?: string | undefined;
  /** A number, or its digits. */
  readonly sampleRate?: string | number | undefined;
  readonly channels?: string | number | undefined;
}

/** Other names of the formats, without their byte order. */
const ALIASES: Readonly<Record<string, string>> = {
  uint8: 'u8',
  int16: 's16',
  int24: 's24',
  int32: 's32',
  float: 'f32',
  float32: 'f32',
};

/**
 * The format of raw samples. Little-endian unless `endian` is `big` or the name ends in `be`: Lyria labels
 * little-endian bytes `audio/l16`. FFmpeg's names (`pcm_s16le`) and names without a byte order (`s16`) are understood.
 * @throws {Problem} `unsupported-format` (415)
 */
export function resolveFormat(said: SaidFormat): PcmFormat {
  const endian = said.endian?.toLowerCase();
  if (endian !== undefined && endian !== 'little' && endian !== 'big')
    throw unsupported('The byte order must be little or big.');
  const asked = said.format?.toLowerCase().replace(/^pcm_/, '');
  const [, name = '', suffix] = /^(.*?)(le|be)?$/.exec(asked ?? 's16') ?? [];
  const base = ALIASES[name] ?? name;
  if (suffix === 'le' && endian === 'big')
    throw unsupported(`The format ${said.format} and big-endian contradict each other.`);
  if (suffix === 'be' && endian === 'little')
    throw unsupported(`The format ${said.format} and little-endian contradict each other.`);
  const order = suffix ?? (endian === 'big' ? 'be' : 'le');
  const full = SAMPLE_FORMATS.find((known) => known === base && suffix === undefined) ?? `${base}${order}`;
  const isKnown = SAMPLE_FORMATS.some((known) => known === full);
  return parseFormat({
    sampleFormat: isKnown ? full : (said.format ?? ''),
    sampleRate: number(said.sampleRate, DEFAULT_FORMAT.sampleRate),
    channels: number(said.channels, DEFAULT_FORMAT.channels),
  });
}

/** `NaN`, which no format has, for what are no plain digits. */
function number(said: string | number | undefined, otherwise: number): number {
  if (said === undefined) return otherwise;
  if (typeof said === 'number') return said;
  return /^\d{1,9}$/.test(said) ? Number(said) : Number.NaN;
}

function unsupported(detail: string): Problem {
  return new Problem('unsupported-format', detail);
}
