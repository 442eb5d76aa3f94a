import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Daemon } from '../helpers/daemon';
import { runProgram } from '../helpers/run-program';
import { ROOT } from '../helpers/sources';

const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
/** What the README tells its readers to paste, in order. */
const examples = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, script]) => script as string);

describe('the README’s examples', () => {
  let daemon: Daemon;
  const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-readme-'));
  beforeAll(async () => {
    daemon = await Daemon.start();
    // Every curl fails where the answer is a refusal, and shows it.
    writeFileSync(path.join(home, '.curlrc'), 'fail-with-body\nsilent\nshow-error\n');
  });
  afterAll(async () => {
    await daemon?.stop();
    rmSync(home, { recursive: true });
  });

  it('are there', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(
    examples.map((script, index) => ({
      script,
      name: `${index + 1}: ${script.split('\n')[0]!.slice(0, 60)}`,
    })),
  )('work when pasted: $name', async ({ script }) => {
    const adapted = script
      .replaceAll('http://localhost:3001', daemon.apiUrl)
      .replaceAll('npx vibesflow', `"${process.execPath}" "${path.join(ROOT, 'dist/cli/vibesflow.js')}"`);
    const env = { ...process.env, HOME: home, CURL_HOME: home };
    const result = await runProgram('bash', ['-euo', 'pipefail', '-c', adapted], {
      env,
      cwd: home,
    });
    expect({
      exitCode: result.exitCode,
      said: `${result.stderr}${result.exitCode ? result.stdout.toString() : ''}`,
    }).toEqual({
      exitCode: 0,
      said: '',
    });
  });
});
