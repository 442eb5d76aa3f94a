import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Metrics } from '../../src/base/metrics';
import { SETTINGS } from '../../src/base/settings';
import { run } from '../../src/cli/program';
import { CapturedOutput } from '../helpers/captured-output';
import { ROOT } from '../helpers/sources';

const guide = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
const blocks = [...guide.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].map(([, text]) => text as string);
const spans = [...guide.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(
  ([, text]) => text as string,
);
/** What stands there to be typed or found: blocks, and what is set in type within sentences. */
const code = [...blocks, ...spans].flatMap((text) => text.split('\n'));

/** Names in capitals that are no settings of the relay's. */
const OTHER_VARIABLES = ['NEW-VERSION', 'OLD-VERSION', 'YOUR-REPOSITORY', 'HOME', 'ID'];

function unique(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts.filter((text) => text !== undefined))];
}

async function help(words: readonly string[]): Promise<{ exitCode: number; text: string }> {
  const output = new CapturedOutput();
  const exitCode = await run([...words, '--help'], output, {});
  return { exitCode, text: output.stdout.text };
}

describe('the operator’s guide', () => {
  it('names files of this repository that are there', () => {
    const named = unique(
      code.flatMap((line) =>
        [
          ...line.matchAll(
            /(?<![\w/.-])(?:(?:scripts|deploy|monitoring|nginx)\/[\w./-]+|ecosystem\.config\.js)/g,
          ),
        ].map(([file]) => file.replace(/[./]+$/, '')),
      ),
    );
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  });

  const commands = unique(
    code.flatMap((line) =>
      [...line.matchAll(/(?:npx |^)vibesflow ((?:[a-z]+ ?)+(?:--[\w-]+(?: [\w.:]+)? ?)*)/g)].map(([, rest]) =>
        rest?.trim(),
      ),
    ),
  );

  it.each(commands)('tells of a command that there is: vibesflow %s', async (command) => {
    const words = command.split(' ').filter((word) => /^[a-z]/.test(word));
    const options = command.split(' ').filter((word) => word.startsWith('--'));
    const sub = words[0] === 'srs' || words[0] === 'nginx' ? words.slice(0, 2) : words.slice(0, 1);
    const { exitCode, text } = await help(sub);
    expect([exitCode, text]).toEqual([0, expect.stringContaining(`vibesflow ${sub.join(' ')}`)]);
    for (const option of options) expect(text).toContain(option);
  });

  it('tells of options that scripts/setup-tls.sh has', () => {
    const script = readFileSync(path.join(ROOT, 'scripts/setup-tls.sh'), 'utf8');
    const options = code
      .filter((line) => line.includes('setup-tls.sh'))
      .flatMap((line) => [...line.matchAll(/--[a-z-]+/g)].map(([option]) => option));
    expect(options.length).toBeGreaterThan(3);
    expect(unique(options).filter((option) => !script.includes(`  ${option} `))).toEqual([]);
  });

  it('names settings that the daemon reads', () => {
    const settings: readonly string[] = Object.values(SETTINGS).map(({ name }) => name);
    const named = unique(
      code.flatMap((line) =>
        [...line.matchAll(/(?<![\w-])([A-Z]{2,}_[A-Z_]+)(?![\w-])/g)].map(([, name]) => name),
      ),
    );
    expect(named.length).toBeGreaterThan(10);
    const unknown = named.filter((name) => ![...settings, ...OTHER_VARIABLES].includes(name));
    expect(unknown).toEqual([]);
  });

  it('names metrics that the daemon shows', () => {
    const metrics = new Metrics();
    const shown = metrics.registry.getMetricsAsArray().map(({ name }) => name);
    metrics.registry.clear();
    const named = unique([...guide.matchAll(/\bvibesflow_\w+/g)].map(([name]) => name));
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !shown.includes(name))).toEqual([]);
  });

  it('says of what it could not run that it was not', () => {
    expect(guide).toMatch(/### What was run, and what was not/);
    expect([...guide.matchAll(/_not run/g)].length).toBeGreaterThan(4);
  });
});
