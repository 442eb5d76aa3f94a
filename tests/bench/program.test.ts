import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../helpers/sources';
import { eventually } from '../helpers/eventually';
import { isAlive, readProcess } from '../helpers/processes';
import { runProgram } from '../helpers/run-program';

const PROGRAM = ['-r', path.join(ROOT, 'bench/register.cjs'), path.join(ROOT, 'tests/fixtures/benches.ts')];

/** Runs `npm run bench`, with fixtures for benchmarks. */
async function bench(
  fixtures: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ exitCode: number | null; json: unknown[]; said: string; shown: string }> {
  const environment = { PATH: process.env['PATH'], BENCH_FIXTURES: fixtures, ...env };
  const run = await runProgram(process.execPath, [...PROGRAM, ...args], { env: environment });
  const shown = run.stdout.toString();
  const json = shown
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as unknown);
  return { exitCode: run.exitCode, json, said: run.stderr, shown };
}

describe('npm run bench', () => {
  it('lists what there is', async () => {
    const { exitCode, shown } = await bench('calm,slow', []);
    expect(exitCode).toBe(0);
    for (const name of ['calm', 'slow', 'all', 'check', 'docs'])
      expect(shown).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it('says of each what it measures, and its options', async () => {
    const { exitCode, shown } = await bench('calm', ['calm', '--help']);
    expect(exitCode).toBe(0);
    expect(shown).toContain('What the fixture calm is for.');
    expect(shown).toContain('rounds (default 3, quick 2)');
  });

  it('prints a table for people and a line of JSON, and exits with 0 whatever the verdict', async () => {
    const { exitCode, json, said } = await bench('slow', ['slow', '--quick']);
    expect(exitCode).toBe(0);
    expect(json).toMatchObject([{ bench: 'slow', quick: true, parameters: { rounds: 2 } }]);
    expect(said).toContain('missed');
  });

  it.each([
    [['nothing-of-the-kind'], 'there is no nothing-of-the-kind'],
    [['calm', '--rounds', 'many'], 'a whole number from 1 on'],
    [['calm', '--faster'], 'unknown option'],
    [['check', '--slack', '0.5'], 'a number from 1 on'],
  ])('refuses %j and says why', async (args, why) => {
    const { exitCode, said, json } = await bench('calm', args);
    expect(exitCode).toBe(1);
    expect(said).toContain(why);
    expect(json).toEqual([]);
  });

  it('refuses to run where npm has kept an option for itself', async () => {
    const { exitCode, said } = await bench('calm', ['calm'], { npm_config_quick: 'true' });
    expect(exitCode).toBe(1);
    expect(said).toContain('npm run bench calm -- --quick');
  });

  it('fails where a benchmark breaks', async () => {
    const { exitCode, said } = await bench('broken', ['broken']);
    expect(exitCode).toBe(1);
    expect(said).toContain('out of order');
  });

  it('runs all, and those behind a broken one too', async () => {
    const { exitCode, json, said } = await bench('broken,calm', ['all', '--quick']);
    expect(exitCode).toBe(1);
    expect(json).toMatchObject([{ bench: 'calm', quick: true }]);
    expect(said).toContain('failed: broken');
  });

  it('ends what a benchmark has left running, and says what it was', async () => {
    const { exitCode, said } = await bench('careless', ['careless']);
    expect(exitCode).toBe(0);
    expect(said).toContain('left running, and ended now:');
    expectOver(said);
  });

  it('ends what it has started where an error comes that nobody caught', async () => {
    const { exitCode, said } = await bench('careless', ['careless', '--quick']);
    expect(exitCode).toBe(1);
    expect(said).toContain('nobody caught this');
    expectOver(said);
  });

  it('ends what it has started and removes its files when it is told to end', async () => {
    const child = spawn(process.execPath, [...PROGRAM, 'endless'], {
      env: { PATH: process.env['PATH'], BENCH_FIXTURES: 'endless' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const [, pid, directory] = await eventually('it runs', () => /running (\d+) in (\S+)/.exec(said));
    const below = readProcess(Number(pid));
    expect(existsSync(directory as string)).toBe(true);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(below && isAlive(below)).toBe(false);
    expect(existsSync(directory as string)).toBe(false);
  });
});

/** That the process which a benchmark said it has started is gone. */
function expectOver(said: string): void {
  const [, pid] = /running (\d+)/.exec(said) ?? [];
  expect(Number(pid)).toBeGreaterThan(0);
  // What is left of it waits for whoever became its parent.
  expect([undefined, 'Z']).toContain(readProcess(Number(pid))?.state);
}

describe('npm run bench:check', () => {
  it('fails where a ratio is out of bounds, or a benchmark breaks, and says which', async () => {
    const { exitCode, json, said } = await bench('calm,slow,broken', ['check', '--slack', '1']);
    // On a machine that kept everybody waiting, the ratio is not judged; what broke is broken on any.
    const slow = 'slow, cost: 1.90 × the floor, ≤ 1.20 × the floor';
    const [told] = json as [{ passed: number; failed: string[]; unjudged: string[] }];
    expect(exitCode).toBe(1);
    expect(told.passed).toBe(1);
    expect([...told.failed, ...told.unjudged].some((line) => line.startsWith(slow))).toBe(true);
    expect(told.failed).toContain('broken, runs: no report, a report (ended with 1)');
    expect(said).toContain('FAILED: broken');
  });

  it('passes with a slack that is wide enough', async () => {
    const { exitCode, json } = await bench('calm,slow', ['check', '--slack', '2']);
    expect(exitCode).toBe(0);
    expect(json).toEqual([{ passed: 2, failed: [], unjudged: [] }]);
  });
});
