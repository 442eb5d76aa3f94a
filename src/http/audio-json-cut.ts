import { randomBytes } from 'node:crypto';
import { Problem } from '../base/errors';
import type { SaidFormat } from './audio-format';
import { type JsonAudio, readAudioJson } from './audio-json';
import { decodeBase64 } from './base64';
import { parseJson } from './json-body';

/** Text shorter than this is parsed as quickly as it is cut out. */
const MIN_CUT = 1024;
/** A body with more quotation marks than this is no chunk of audio in a few members. */
const MAX_QUOTES = 256;
const QUOTE = 0x22;
/** Stands for audio that was cut out. Nobody outside knows it, so nobody can name audio by it. */
const MARK = `cut-out-${randomBytes(18).toString('base64url')}-`;

/**
 * Understands a JSON body of the audio door. Its long audio is cut out of the bytes before the rest is parsed: JSON has to
 * search it for escapes and copy it, and base64 has none. Only where the rest makes sense and each piece is audio in it is
 * that the answer; anything else is parsed whole, so that what is taken and refused does not depend on the knife.
 * @param said what the URL says of the format, where the body says nothing
 * @throws {Problem} `invalid-json` (400), and as `readAudioJson`
 */
export function readAudioBody(body: Buffer, said: SaidFormat): JsonAudio {
  return readCut(body, said) ?? readAudioJson(parseJson(body), said);
}

function readCut(body: Buffer, said: SaidFormat): JsonAudio | undefined {
  const { rest, pieces } = cutOut(body);
  if (pieces.size === 0) return undefined;
  const unused = new Map(pieces);
  const audioOf = (text: string): Buffer => {
    const bytes = unused.get(text);
    unused.delete(text);
    return bytes ?? decodeBase64(text);
  };
  try {
    const audio = readAudioJson(parseJson(rest), said, audioOf);
    // What is left stands somewhere else: in a name, twice in one member.
    return unused.size === 0 ? audio : undefined;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** The body with marks in place of long base64, and the bytes that they stand for. */
function cutOut(body: Buffer): { rest: Buffer; pieces: ReadonlyMap<string, Buffer> } {
  const pieces = new Map<string, Buffer>();
  const rest: Buffer[] = [];
  let kept = 0;
  let quote = body.indexOf(QUOTE);
  for (let quotes = 1; quote >= 0 && quotes <= MAX_QUOTES; quotes += 1) {
    const next = body.indexOf(QUOTE, quote + 1);
    // Between two marks that do not enclose a string, JSON has at least a colon or a comma: no base64.
    const bytes = next - quote > MIN_CUT ? decoded(body.toString('latin1', quote + 1, next)) : undefined;
    if (bytes) {
      const mark = `${MARK}${pieces.size}`;
      pieces.set(mark, bytes);
      rest.push(body.subarray(kept, quote + 1), Buffer.from(mark));
      kept = next;
    }
    quote = next;
  }
  return { rest: pieces.size > 0 ? Buffer.concat([...rest, body.subarray(kept)]) : body, pieces };
}

function decoded(text: string): Buffer | undefined {
  try {
    return decodeBase64(text);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
