import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tuneWav } from '../../src/cli/tune';
import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { httpRequest } from '../helpers/http-request';
import { type ProgramResult, runProgram } from '../helpers/run-program';
import { ROOT } from '../helpers/sources';
import { SECRET } from '../helpers/tokens';

const BIN = path.join(ROOT, 'dist/cli/vibesflow.js');

describe('a relay with AUTH_MODE=token', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-tokens-'));
  const wav = path.join(home, 'tune.wav');
  const env = { AUTH_MODE: 'token', AUTH_SECRET: SECRET };
  let daemon: Daemon;
  beforeAll(async () => {
    writeFileSync(wav, Buffer.concat([...tuneWav(3)]));
    daemon = await Daemon.start(env);
  });
  afterAll(async () => {
    await daemon?.stop();
    rmSync(home, { recursive: true });
  });

  const vibesflow = (args: readonly string[], more: Record<string, string> = {}): Promise<ProgramResult> =>
    runProgram(process.execPath, [BIN, ...args], { env: { ...process.env, ...more } });
  const mint = async (...args: string[]): Promise<string> =>
    (await vibesflow(['token', ...args], env)).stdout.toString().trim();

  it('is used by the command with tokens that the command mints, and logs none of them', async () => {
    const creator = await mint('--role', 'creator', '--vibe', 'show-*', '--subject', 'ana');
    const participant = await mint('--role', 'participant', '--vibe', 'show-1');
    const admin = await mint('--role', 'admin');
    const url = ['--url', daemon.apiUrl];
    const asAdmin = { headers: { authorization: `Bearer ${admin}` } };
    const status = async (): Promise<Record<string, unknown>> =>
      JSON.parse((await httpRequest(`${daemon.apiUrl}/stream/show-1`, asAdmin)).body.toString()) as never;

    const refused = await vibesflow(['publish', wav, '--vibe', 'show-1', ...url]);
    expect(refused.exitCode).toBe(69);
    expect(refused.stderr).toContain('401 unauthorized');
    const elsewhere = await vibesflow(['publish', wav, '--vibe', 'other', ...url, '--token', creator]);
    expect(elsewhere.stderr).toContain('403 forbidden');

    const publishing = vibesflow(['publish', wav, '--vibe', 'show-1', ...url], { VIBESFLOW_TOKEN: creator });
    await eventually('it is on air', async () => (await status())['isStreaming'] === true);
    const listening = await vibesflow(['listen', 'show-1', '--seconds', '1', ...url, '--token', participant]);
    expect(listening.exitCode).toBe(0);
    expect((await publishing).exitCode).toBe(0);

    const ticket = await mint('--role', 'participant', '--vibe', 'show-1', '--expires', '5m');
    await httpRequest(`${daemon.apiUrl}/stream/show-1?token=${ticket}`);
    for (const secret of [SECRET, creator, participant, admin, ticket])
      expect(daemon.output).not.toContain(secret.split('.').at(-1));
  });

  it('is in order for the doctor, who has its settings', async () => {
    const settings = {
      ...env,
      ...{ PORT: new URL(daemon.apiUrl).port, MEDIA_HTTP_PORT: new URL(daemon.mediaUrl).port },
      ...{ RTMP_PORT: String(daemon.rtmpPort), DATA_DIR: daemon.dataDir },
    };
    const { stdout } = await vibesflow(['doctor', '--live', '--json'], settings);
    const { checks } = JSON.parse(stdout.toString()) as { checks: { name: string; result: string }[] };
    const result = (name: string): string | undefined => checks.find((check) => check.name === name)?.result;
    expect([result('daemon'), result('live: ingest'), result('live: HLS')]).toEqual(['ok', 'ok', 'ok']);
    expect(result('daemon’s open files')).toBeDefined();
  });
});
