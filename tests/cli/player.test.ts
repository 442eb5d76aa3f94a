import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { play } from '../../src/cli/player';
import type { CommandContext } from '../../src/cli/program';
import { CapturedOutput } from '../helpers/captured-output';
import { eventually } from '../helpers/eventually';

describe('playing through a local player', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-player-'));
  const heard = path.join(directory, 'heard');
  const context: CommandContext = {
    output: new CapturedOutput(),
    input: () => process.stdin,
    env: { PATH: directory },
    exitCode: 0,
  };
  const install = (name: string, script: string): void => {
    writeFileSync(path.join(directory, name), `#!/bin/sh\necho $0 "$@" > ${heard}\n${script}\n`);
    chmodSync(path.join(directory, name), 0o755);
  };
  afterAll(() => rmSync(directory, { recursive: true }));

  it('says that there is none', async () => {
    await expect(play('http://x/a.flv', new AbortController().signal, context)).rejects.toMatchObject({
      message: expect.stringContaining('No player was found'),
      exitCode: 69,
    });
  });

  it('takes the first that is installed, and passes on its failure', async () => {
    install('mpv', 'exit 0');
    await play('http://x/a.flv', new AbortController().signal, context);
    expect(readFileSync(heard, 'utf8')).toMatch(/mpv --no-video .*http:\/\/x\/a\.flv/);
    install('ffplay', 'exit 3');
    await expect(play('http://x/a.flv', new AbortController().signal, context)).rejects.toThrow(
      `${path.join(directory, 'ffplay')} ended with exit code 3`,
    );
  });

  it('ends the player when told to stop', async () => {
    rmSync(heard);
    install('ffplay', 'exec /bin/sleep 60');
    const controller = new AbortController();
    const playing = play('http://x/a.flv', controller.signal, context);
    await eventually('it plays', () => readFileSync(heard, 'utf8').includes('ffplay'));
    controller.abort();
    await playing;
  });
});
