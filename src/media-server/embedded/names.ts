/**
 * What a stream may be called: the relay's rule for vibe ids. Kept here as well, because this process takes names
 * from players and publishers who never met the relay; a test holds the two rules together.
 */
const VIBE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

export function isStreamName(text: string): boolean {
  return VIBE_ID.test(text);
}
