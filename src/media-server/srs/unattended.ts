/** Upstream pull request 4097. */
const SINCE: readonly number[] = [6, 0, 130];
/** The streams have 3 s from then on. 6.x has no such release. */
const UNTIL: readonly number[] = [7, 0, 127];

/**
 * Whether a release of SRS sweeps up a stream while its publisher is still being let in, unless somebody plays it. The
 * publisher then sends, and nobody hears: once in a thousand times on a quiet machine, every other time on one where
 * many encoders start together.
 * @param version as SRS tells it; one that cannot be read does, to be safe
 */
export function losesUnattended(version: string): boolean {
  const parts = version.split('.').map(Number);
  if (parts.length !== 3 || parts.some(Number.isNaN)) return true;
  return compare(parts, SINCE) >= 0 && compare(parts, UNTIL) < 0;
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at < 0 ? 0 : (one[at] as number) - (other[at] as number);
}
