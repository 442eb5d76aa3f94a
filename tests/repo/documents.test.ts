import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { settingsTable } from '../../src/base/config-table';
import { SETTINGS } from '../../src/base/settings';
import { ROOT, readDocuments } from '../helpers/sources';

const documents = readDocuments();
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

/** The headings of a document, as the fragments by which they are linked. */
function fragments(text: string): string[] {
  return [...text.matchAll(/^#+ +(.*)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the README', () => {
  const readme = documents.find(({ file }) => file === 'README.md')?.text ?? '';

  it('has the table of settings that the daemon reads', () => {
    const table = /<!-- settings -->\n([\s\S]*?)\n<!-- \/settings -->/.exec(readme)?.[1];
    expect(unpadded(table ?? '')).toBe(unpadded(settingsTable()));
  });

  it('has a row for each setting', () => {
    for (const { name } of Object.values(SETTINGS)) expect(readme).toContain(`| \`${name}\``);
  });
});

/** Prettier pads the cells of tables; what they say stays. */
function unpadded(table: string): string {
  return table
    .replace(/ *\| */g, '|')
    .replace(/-{3,}/g, '---')
    .trim();
}

describe('the documents', () => {
  it.each(documents)('$file links to what is there', ({ file, text }) => {
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link as string)
      .filter((link) => !/^[a-z]+:/i.test(link))
      .filter((link) => {
        const [name, fragment] = link.split('#') as [string, string | undefined];
        const target = name ? path.join(ROOT, path.dirname(file), name) : path.join(ROOT, file);
        if (!existsSync(target)) return true;
        return fragment !== undefined && !fragments(readFileSync(target, 'utf8')).includes(fragment);
      });
    expect(broken).toEqual([]);
  });

  it.each(documents)('$file names npm scripts that exist', ({ text }) => {
    const named = [...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, script]) => script as string);
    expect(named.filter((script) => !manifest.scripts[script])).toEqual([]);
  });
});

describe('package.json', () => {
  it('asks for exact versions', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual(
      [],
    );
  });
});
