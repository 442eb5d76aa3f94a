import { Problem } from '../base/errors';

/**
 * Decodes base64, strictly: the standard alphabet, full padding, no white space, no stray bits. Node's own decoder
 * skips what it does not know, which would shift every sample that follows.
 * @throws {Problem} `invalid-audio-data` (400)
 */
export function decodeBase64(text: string): Buffer {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = Buffer.from(text, 'base64');
  const isWhole =
    text.length % 4 === 0 &&
    bytes.length === (text.length / 4) * 3 - padding &&
    // Node takes the URL-safe alphabet for granted, and bits beyond the last byte.
    !text.includes('-') &&
    !text.includes('_') &&
    (padding === 0 || bytes.subarray(-3 + padding).toString('base64') === text.slice(-4));
  if (isWhole) return bytes;
  throw new Problem(
    'invalid-audio-data',
    'The audio data is not base64: the standard alphabet with full padding, and nothing else.',
  );
}
