import { Problem } from '../base/errors';

/** Dots are refused on purpose: SRS drops what follows the last dot of a stream name. */
const VIBE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

export function isVibeId(text: string): boolean {
  return VIBE_ID.test(text);
}

/**
 * The one check that every id passes before it touches a path, a URL or an argument list.
 * @throws {Problem} `invalid-vibe-id` (400)
 */
export function checkVibeId(text: string): string {
  if (isVibeId(text)) return text;
  throw new Problem(
    'invalid-vibe-id',
    'A vibe id is 1 to 128 letters, digits, underscores and hyphens, and begins with a letter or a digit.',
  );
}
