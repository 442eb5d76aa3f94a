/** What a vibe id may be made of, and `*`. */
const PATTERN = /^[A-Za-z0-9*][A-Za-z0-9_*-]{0,127}$/;

/** Whether `text` is a vibe id, or a pattern in which `*` stands for any characters, also for none. */
export function isVibePattern(text: string): boolean {
  return PATTERN.test(text);
}

/**
 * Whether a pattern is for a vibe: `show-*` is for `show-1` and `show-`, `*` for all. Upper and lower case differ.
 * No regular expression is made of a token's words: this takes no longer than the two texts are long.
 */
export function matchesVibe(pattern: string, vibeId: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === vibeId;
  if (!vibeId.startsWith(head)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = vibeId.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return vibeId.length - tail.length >= at && vibeId.endsWith(tail);
}
