import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { outputOf } from '../helpers/run-program';
import { ROOT } from '../helpers/sources';

interface Seen {
  readonly passed: number;
  readonly failed: string[];
  readonly unjudged: string[];
}

const RUN_GUARD = pathToFileURL(path.join(ROOT, 'scripts/run-guard.mjs')).href;

/** What `npm test` makes of a guard that is such a program. */
async function guard(program: string, limitMs = 60_000): Promise<Seen> {
  const runner = `
    import { runGuard } from ${JSON.stringify(RUN_GUARD)};
    const options = { cwd: ${JSON.stringify(ROOT)}, env: process.env, limitMs: ${limitMs} };
    console.log(JSON.stringify(runGuard(['-e', ${JSON.stringify(program)}], options)));`;
  const said = await outputOf(process.execPath, ['--input-type=module', '-e', runner]);
  return JSON.parse(said.toString()) as Seen;
}

/** A program that says this line and exits with this code. */
const saying = (line: string, code: number): string =>
  `console.log(${JSON.stringify(`some words\n${line}`)}); process.exitCode = ${code};`;

describe('the verdict of npm test on the guard', () => {
  it('is what the guard says', async () => {
    const seen = { passed: 3, failed: ['startup: 3 ×'], unjudged: ['latency: 9 ms'] };
    expect(await guard(saying(JSON.stringify(seen), 1))).toEqual(seen);
  });

  it('is failed where it says nothing', async () => {
    expect(await guard(saying('and no more', 0))).toMatchObject({
      passed: 0,
      failed: ['no verdict: it ended with 0'],
    });
  });

  it('is failed where it takes too long', async () => {
    expect(await guard('setInterval(() => {}, 1000)', 50)).toMatchObject({
      failed: ['no verdict: it ended after 0 s'],
    });
  });

  it('is failed where its exit code says so, and nothing else does', async () => {
    const seen = { passed: 3, failed: [], unjudged: [] };
    expect(await guard(saying(JSON.stringify(seen), 7))).toMatchObject({
      passed: 3,
      failed: ['ended with 7'],
    });
  });
});
