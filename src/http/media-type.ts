/** A `Content-Type`: `type/subtype` and its parameters, names in lower case. */
export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const PARAMETER = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*/y;

/**
 * Parses a `Content-Type`. Parameters may come in any order and case; of two with one name the first counts.
 * @returns nothing for what is none
 */
export function parseMediaType(text: string): MediaType | undefined {
  const head = /^\s*([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)\s*/.exec(text);
  if (!head) return undefined;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = head[0].length;
  while (PARAMETER.lastIndex < text.length) {
    const from = PARAMETER.lastIndex;
    const match = PARAMETER.exec(text);
    if (!match) {
      // A lone semicolon at the end is common; anything else is no parameter.
      if (/^;?\s*$/.test(text.slice(from))) break;
      return undefined;
    }
    const name = (match[1] as string).toLowerCase();
    const value = match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '';
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return { type: (head[1] as string).toLowerCase(), parameters };
}
