import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { reliabilityPage } from './page';
import { readResults, readSoak } from './results';

const ROOT = path.resolve(__dirname, '../../..');
const PAGE = 'docs/reliability.md';
/** The part of the page that people write. */
const METHOD = path.join(__dirname, 'method.md');

/** The page as the kept results have it. */
export function makePage(): string {
  return pretty(
    reliabilityPage({
      embedded: readResults('embedded'),
      srs: readResults('srs'),
      soak: readSoak(),
      method: readFileSync(METHOD, 'utf8'),
    }),
  );
}

/** @returns its path in the project */
export function writePage(): string {
  writeFileSync(path.join(ROOT, PAGE), makePage());
  return PAGE;
}

/** Whether the page is not what would be written. */
export function checkPage(): boolean {
  const file = path.join(ROOT, PAGE);
  return !existsSync(file) || readFileSync(file, 'utf8') !== makePage();
}

/** As `npm run format` would leave it. */
function pretty(markdown: string): string {
  const prettier = path.join(ROOT, 'node_modules/prettier/bin/prettier.cjs');
  return execFileSync(process.execPath, [prettier, '--stdin-filepath', PAGE], {
    cwd: ROOT,
    input: markdown,
    encoding: 'utf8',
  });
}
