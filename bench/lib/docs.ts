import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Bench } from './bench';
import { performancePage } from './page';
import { readReports } from './results';
import { drawPlot } from './svg';

const ROOT = path.resolve(__dirname, '../..');
const PAGE = 'docs/performance.md';
const PLOTS = 'docs/performance';
/** The part of the page that people write. */
const LIMITS = path.join(ROOT, 'bench/limits.md');

/** The page and its plots, by their paths in the project, as the kept reports have them. */
export function makeDocs(benches: readonly Bench[]): Map<string, string> {
  const reports = readReports();
  const limits = existsSync(LIMITS) ? readFileSync(LIMITS, 'utf8') : '';
  const files = new Map([[PAGE, pretty(performancePage(benches, reports, { limits }))]]);
  const shown = reports.filter(({ bench }) => benches.some(({ name }) => name === bench));
  for (const plot of shown.flatMap(({ plots }) => plots)) {
    const file = `${PLOTS}/${plot.name}.svg`;
    if (files.has(file)) throw new Error(`two plots have the name ${plot.name}`);
    files.set(file, drawPlot(plot));
  }
  return files;
}

/** Writes them, and removes plots that are there no more. @returns their paths */
export function writeDocs(benches: readonly Bench[]): string[] {
  const files = makeDocs(benches);
  mkdirSync(path.join(ROOT, PLOTS), { recursive: true });
  for (const file of plotsThere()) if (!files.has(file)) rmSync(path.join(ROOT, file));
  for (const [file, text] of files) writeFileSync(path.join(ROOT, file), text);
  return [...files.keys()];
}

/** The paths of those that are not what the kept reports make them, or should not be there. */
export function checkDocs(benches: readonly Bench[]): string[] {
  const files = makeDocs(benches);
  const differing = [...files].filter(([file, text]) => readIfThere(file) !== text).map(([file]) => file);
  return [...differing, ...plotsThere().filter((file) => !files.has(file))];
}

function plotsThere(): string[] {
  const directory = path.join(ROOT, PLOTS);
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((file) => `${PLOTS}/${file}`);
}

function readIfThere(file: string): string | undefined {
  return existsSync(path.join(ROOT, file)) ? readFileSync(path.join(ROOT, file), 'utf8') : undefined;
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
