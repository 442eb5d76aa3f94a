import { type SrsVersion, takes } from './lines';

/** One line of a configuration, with the reason for it; or a block of them. */
export interface Directive {
  readonly name: string;
  /** What stands between the name and the `;` or `{`. */
  readonly words: readonly string[];
  readonly why: string;
  readonly inside?: readonly Directive[];
}

/** Comments are broken so that the lines stay readable. */
const WIDTH = 110;
const INDENT = '    ';

/** A line. An empty reason says that the line before gives it. */
export function set(name: string, value: string | number, why = ''): Directive {
  return { name, words: String(value).split(' '), why };
}

/** A line whose value is a path, which may hold spaces. */
export function setPath(name: string, path: string, why = ''): Directive {
  return { name, words: [path], why };
}

/** A block, `vhost whip` for one with a word of its own. */
export function block(title: string, why: string, inside: readonly Directive[]): Directive {
  const [name = '', ...words] = title.split(' ');
  return { name, words, why, inside };
}

/** The same without the reasons, where they were given before. */
export function unexplained(directives: readonly Directive[]): Directive[] {
  return directives.map(({ inside, ...rest }) => ({
    ...rest,
    why: '',
    ...(inside && { inside: unexplained(inside) }),
  }));
}

/**
 * The text of a configuration, with what this release does not take left out.
 * @throws {Error} for a directive that is not in the table of `lines.ts`, and for a value that cannot be written
 */
export function confText(directives: readonly Directive[], version: SrsVersion): string {
  return render(directives, version, '', '').join('\n');
}

function render(
  directives: readonly Directive[],
  version: SrsVersion,
  parent: string,
  indent: string,
): string[] {
  return directives.flatMap((directive) => {
    const path = parent ? `${parent}.${directive.name}` : directive.name;
    if (!takes(version, path)) return [];
    const { why, inside } = directive;
    const head = `${indent}${[directive.name, ...directive.words.map(quoted)].join(' ')}`;
    // At the top level, blocks and what has a reason stand apart.
    const gap = indent === '' && (inside || why) ? [''] : [];
    const said = [...gap, ...comment(why, indent)];
    if (!inside) return [...said, `${head};`];
    return [...said, `${head} {`, ...render(inside, version, path, indent + INDENT), `${indent}}`];
  });
}

/** A reason as lines of comment. */
export function comment(text: string, indent = ''): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}# ${word}`);
  }
  return lines;
}

/** SRS knows quotes, but no way to write one inside them. */
function quoted(word: string): string {
  // Square brackets are SRS's own placeholders, [app] and [stream].
  if (/^[\w./:,@%+~*[\]-]+$/.test(word)) return word;
  if (/["\p{Cc}]/u.test(word))
    throw new Error(`${JSON.stringify(word)} cannot be written in a configuration of SRS`);
  return `"${word}"`;
}
