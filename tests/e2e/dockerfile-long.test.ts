import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readRepo } from '../helpers/deployed';
import { eventually } from '../helpers/eventually';
import { FFMPEG } from '../helpers/ffmpeg';
import { freePorts } from '../helpers/free-port';
import { runProgram } from '../helpers/run-program';
import { ROOT } from '../helpers/sources';

interface Line {
  readonly word: string;
  readonly rest: string;
}

/** Every stage of the Dockerfile, as its lines. Comments and line ends within a command are gone. */
function stages(): Line[][] {
  const lines = readRepo('Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => /^([A-Z]+) (.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, word = '', rest = '']) => ({ word, rest }));
  const found: Line[][] = [];
  for (const line of lines) {
    if (line.word === 'FROM') found.push([]);
    else found.at(-1)?.push(line);
  }
  return found;
}

describe('the lines of the Dockerfile, run without Docker', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-image-'));
  const [build = [], dependencies = [], image = []] = stages();
  const exec = (word: string): string[] =>
    JSON.parse(/\[.*\]$/.exec(image.find((line) => line.word === word)?.rest ?? '')?.[0] ?? '[]') as string[];
  let relay: ChildProcess | undefined;
  afterAll(async () => {
    relay?.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  /** Copies what COPY names, and runs what RUN does, but for Debian's packages. */
  async function make(name: string, lines: readonly Line[]): Promise<void> {
    const place = path.join(directory, name);
    mkdirSync(place);
    for (const { word, rest } of lines) {
      if (word === 'COPY') {
        const [first = '', ...others] = rest.split(' ');
        const stage = /^--from=(\w+)$/.exec(first)?.[1];
        const sources = (stage ? others : [first, ...others]).slice(0, -1);
        const target = rest.split(' ').at(-1) ?? '';
        for (const source of sources) {
          const from = stage
            ? path.join(directory, stage, source.replace('/app/', ''))
            : path.join(ROOT, source);
          const isInto = target.endsWith('/');
          cpSync(from, path.join(place, isInto ? path.join(target, path.basename(source)) : target), {
            recursive: true,
          });
        }
      }
      if (word === 'RUN' && rest.includes('npm')) {
        const { exitCode, stdout, stderr } = await runProgram('sh', ['-c', rest], {
          cwd: place,
          withinMs: 300_000,
        });
        if (exitCode !== 0) throw new Error(`RUN ${rest}: ${exitCode}\n${stdout.toString()}${stderr}`);
      }
    }
  }

  it('build a relay that runs, says that it is healthy, and holds nothing that is for hosts or developers', async () => {
    await make('build', build);
    await make('dependencies', dependencies);
    await make('image', image);
    const place = path.join(directory, 'image');
    const list = await runProgram('ls', [path.join(place, 'node_modules')]);
    const packages = list.stdout.toString().split('\n');
    expect(packages).toEqual(expect.arrayContaining(['express', 'pino']));
    for (const absent of ['pm2', 'jest', 'typescript']) expect(packages).not.toContain(absent);

    const [port, media, rtmp, api] = (await freePorts(4)).map(String) as [string, string, string, string];
    const [, ...args] = exec('CMD');
    const env = {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      AUTH_MODE: 'open',
      DATA_DIR: path.join(directory, 'data'),
      FFMPEG_PATH: FFMPEG === 'ffmpeg' ? '' : FFMPEG,
      ...{ PORT: port, MEDIA_HTTP_PORT: media, RTMP_PORT: rtmp, MEDIA_API_PORT: api },
    };
    const check = async (): Promise<number | null> => {
      const [, ...checkArgs] = exec('HEALTHCHECK');
      return (await runProgram(process.execPath, checkArgs, { cwd: place, env })).exitCode;
    };
    expect(await check()).toBe(1);
    relay = spawn(process.execPath, args, { cwd: place, env, stdio: 'ignore' });
    await eventually('it is healthy', async () => (await check()) === 0, { withinMs: 30_000, everyMs: 200 });
    const ended = new Promise((resolve) => relay?.once('exit', resolve));
    relay.kill('SIGTERM');
    expect(await ended).toBe(0);
  }, 600_000);
});
