import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../helpers/sources';
import { outputOf } from '../helpers/run-program';

interface Told {
  readonly what: string;
  readonly why?: string;
}

interface Run {
  readonly passed: number;
  readonly skipped: number;
  readonly failures: Told[];
  readonly faults: Told[];
  readonly unjudged: string[];
}

const RUN_JEST = pathToFileURL(path.join(ROOT, 'scripts/run-jest.mjs')).href;

describe('the verdict of npm test on a run of jest', () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-run-jest-'));
  beforeAll(() => {
    mkdirSync(path.join(root, 'tests'));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
    writeFileSync(path.join(root, 'package.json'), '{}');
    writeFileSync(path.join(root, 'jest.config.js'), 'module.exports = { transform: {} };');
  });
  afterAll(() => rmSync(root, { recursive: true }));

  async function run(tests: Record<string, string>, limitMs = 300_000): Promise<Run> {
    for (const [name, text] of Object.entries(tests)) writeFileSync(path.join(root, 'tests', name), text);
    const options = `{ env: process.env, journal: ${JSON.stringify(path.join(root, 'journal'))}, limitMs: ${limitMs} }`;
    const program = `
      import { writeFileSync } from 'node:fs';
      import { runJest } from ${JSON.stringify(RUN_JEST)};
      const run = await runJest(${JSON.stringify(root)}, ['--runInBand', '--watchman=false'], ${options});
      console.log('\\n' + JSON.stringify(run));`;
    try {
      const said = await outputOf(process.execPath, ['--input-type=module', '-e', program]);
      return JSON.parse(said.toString().trim().split('\n').at(-1) as string) as Run;
    } finally {
      for (const name of Object.keys(tests)) rmSync(path.join(root, 'tests', name));
    }
  }

  it('counts what passed, and names what failed, with what was expected', async () => {
    const { passed, skipped, failures, faults, unjudged } = await run({
      'a.test.js': `
        it('passes', () => { console.warn('NOT JUDGED: the time'); console.warn('something else'); });
        it.skip('is skipped', () => undefined);
        describe('deep', () => { it('fails', () => expect(1).toBe(2)); });`,
      'b.test.js': `it('passes', () => undefined); afterAll(() => { throw new Error('still open'); });`,
      'c.test.js': 'this is no program',
    });
    expect({ passed, skipped, faults }).toEqual({ passed: 2, skipped: 1, faults: [] });
    expect(failures.map(({ what }) => what).sort()).toEqual([
      'tests/a.test.js: deep fails',
      'tests/b.test.js',
      'tests/c.test.js',
    ]);
    const why = (what: string): string => failures.find((failure) => failure.what === what)?.why ?? '';
    expect(why('tests/a.test.js: deep fails')).toMatch(/Expected: 2\s+Received: 1/);
    expect(why('tests/b.test.js')).toContain('still open');
    expect(why('tests/c.test.js')).toMatch(/Unexpected identifier/);
    expect(unjudged).toEqual(['tests/a.test.js: NOT JUDGED: the time']);
  });

  it('names the test in which jest itself came to an end, and counts what was done until then', async () => {
    const { passed, faults } = await run({
      'a.test.js': `it('passes', () => undefined); describe('deep', () => { it('never ends', () => process.kill(process.pid, 'SIGKILL')); });`,
    });
    expect(passed).toBe(1);
    expect(faults).toEqual([
      { what: 'jest ended with SIGKILL and no report, in the middle of tests/a.test.js: deep never ends' },
    ]);
  });

  it('ends what takes longer than it may', async () => {
    const { faults } = await run({ 'a.test.js': `it('passes', () => undefined);` }, 1);
    expect(faults).toEqual([{ what: 'killed after 0 s' }]);
  });
});
