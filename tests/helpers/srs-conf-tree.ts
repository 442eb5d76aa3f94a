/** A configuration of SRS as a tree: the words of each directive by its path, `vhost whip.play.mw_latency`. */
export type ConfTree = ReadonlyMap<string, readonly string[][]>;

/**
 * Reads what SRS reads: words, `;`, blocks, comments, quotes.
 * @throws {Error} where a block or a line does not end
 */
export function readSrsConf(text: string): ConfTree {
  const tree = new Map<string, string[][]>();
  const blocks: string[] = [];
  let words: string[] = [];
  for (const [token] of text.matchAll(/#[^\n]*|"[^"]*"|[;{}]|[^\s;{}"]+/g)) {
    if (token.startsWith('#')) continue;
    if (token === '}') {
      if (blocks.pop() === undefined || words.length > 0)
        throw new Error(`unexpected } after ${words.join(' ')}`);
    } else if (token === ';' || token === '{') {
      const [name = '', ...rest] = words;
      const own = token === '{' ? words.join(' ') : name;
      const path = [...blocks, own].join('.');
      tree.set(path, [...(tree.get(path) ?? []), rest]);
      if (token === '{') blocks.push(own);
      words = [];
    } else {
      words.push(token.replaceAll('"', ''));
    }
  }
  if (blocks.length > 0 || words.length > 0) throw new Error(`not ended: ${[...blocks, ...words].join(' ')}`);
  return tree;
}
