import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { tuneWav } from '../../src/cli/tune';
import { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { freePorts } from '../helpers/free-port';
import { httpRequest } from '../helpers/http-request';
import { type ProgramResult, runProgram } from '../helpers/run-program';
import { ROOT } from '../helpers/sources';

const BIN = path.join(ROOT, 'dist/cli/vibesflow.js');
const vibesflow = (
  args: readonly string[],
  options: Parameters<typeof runProgram>[2] = {},
): Promise<ProgramResult> => runProgram(process.execPath, [BIN, ...args], options);

/** What the start and the end of the command alone take on this machine today. */
async function bareStartMs(): Promise<number> {
  const startMs = performance.now();
  await vibesflow(['--version']);
  return performance.now() - startMs;
}

describe('the command, against a running daemon', () => {
  let daemon: Daemon;
  const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-cli-'));
  const wav = path.join(home, 'tune.wav');
  beforeAll(async () => {
    daemon = await Daemon.start();
    writeFileSync(wav, Buffer.concat([...tuneWav(5)]));
  });
  afterAll(async () => {
    await daemon?.stop();
    rmSync(home, { recursive: true });
  });

  it.each(['websocket', 'post'])(
    'publishes a file by %s while another listens to all of it',
    async (door) => {
      const vibeId = `cli-${door}`;
      await daemon.startVibe(vibeId, 'ana');
      const args = [
        'publish',
        wav,
        '--vibe',
        vibeId,
        '--creator',
        'ana',
        '--door',
        door,
        '--url',
        daemon.apiUrl,
      ];
      const listening = vibesflow(['listen', vibeId, '--json', '--url', daemon.apiUrl]);
      await eventually('it listens', async () => (await daemon.status(vibeId))?.['listeners'] === 1);
      const startMs = performance.now();
      const [listened, published] = await Promise.all([listening, vibesflow(args)]);
      const tookMs = performance.now() - startMs;
      expect(published.stderr).toMatch(/5\.0 s sent and acknowledged, 0 reconnects, .*, 0 underruns/);
      expect(published.exitCode).toBe(0);
      // Both processes end with the vibe: no timer of theirs keeps them, of which the shortest runs for ten seconds.
      const bareMs = await bareStartMs();
      console.info(
        `5 s took ${tookMs.toFixed(0)} ms; the command's start alone takes ${bareMs.toFixed(0)} ms`,
      );
      expect(tookMs).toBeLessThan(5_000 + 5_000 + 5 * bareMs);
      const heard = JSON.parse(listened.stdout.toString()) as Record<string, number>;
      expect(listened.exitCode).toBe(0);
      // 5 s are 235 AAC frames; the encoder adds one or two at its ends, and silence may go out before the first audio.
      expect(heard['tags']).toBeGreaterThanOrEqual(234);
      expect(heard).toMatchObject({ backwards: 0, reconnects: 0 });
      expect(heard['peakDbfs']).toBeGreaterThan(-20);
    },
  );

  it('examines it and finds nothing in the way', async () => {
    const port = new URL(daemon.apiUrl).port;
    const media = new URL(daemon.mediaUrl).port;
    const env = {
      ...process.env,
      PORT: port,
      MEDIA_HTTP_PORT: media,
      RTMP_PORT: `${daemon.rtmpPort}`,
      DATA_DIR: home,
    };
    const { exitCode, stdout } = await vibesflow(['doctor'], { env, cwd: home });
    expect(stdout.toString()).toMatch(/^ok {4}daemon: ready at /m);
    expect(stdout.toString()).toMatch(/^ok {4}media server: embedded .* answers on port/m);
    expect(stdout.toString()).toMatch(/PORT: the daemon has it/);
    expect(exitCode).toBe(0);
  });
});

describe('vibesflow serve', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-serve-'));
  afterAll(() => rmSync(home, { recursive: true }));
  const settings = async (more: Record<string, string> = {}): Promise<Record<string, string>> => {
    const [port, media, rtmp] = await freePorts(3);
    const ports = { PORT: `${port}`, MEDIA_HTTP_PORT: `${media}`, RTMP_PORT: `${rtmp}` };
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      DATA_DIR: path.join(home, 'data'),
      ...ports,
      ...more,
    };
  };

  it('welcomes, plays the demo, and on Ctrl-C, which every process of the terminal gets, plays the tail', async () => {
    const env = await settings();
    // A process group of its own, as a terminal gives to what is started in it.
    const child = spawn(process.execPath, [BIN, 'serve', '--demo'], { env, cwd: home, detached: true });
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    try {
      await eventually('the demo is live', async () => {
        const url = `http://127.0.0.1:${env['PORT']}/stream/demo`;
        return (await httpRequest(url)).body.toString().includes('"state":"live"');
      });
      expect(said).toContain('A tune plays into the vibe demo. Listen:');
      await eventually('a line about the demo', () => /demo: live .* listening/.test(said));
    } finally {
      // Twice: npm passes it on besides.
      process.kill(-(child.pid as number), 'SIGINT');
      child.kill('SIGINT');
    }
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    expect(said).not.toMatch(/Connection lost|demo has ended|an FFmpeg ended/);
    expect(exitCode).toBe(0);
  });

  it('says in one line that a port is in use, with exit code 69', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    try {
      for (const name of ['PORT', 'MEDIA_HTTP_PORT', 'RTMP_PORT']) {
        const env = await settings({ [name]: String(port), LOG_LEVEL: 'silent' });
        const { exitCode, stderr } = await vibesflow(['serve'], { env, cwd: home });
        expect(stderr).toMatch(new RegExp(`^vibesflow: .*${port}.*\n$`));
        expect(exitCode).toBe(69);
      }
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it.each([
    [
      'a DATA_DIR that cannot be written to',
      { DATA_DIR: '/dev/null/data' },
      73,
      /DATA_DIR \/dev\/null\/data/,
    ],
    ['an FFmpeg that is none', { FFMPEG_PATH: '/bin/true' }, 69, /FFmpeg/],
    ['an FFmpeg that is not there', { FFMPEG_PATH: '/nowhere/ffmpeg' }, 78, /FFMPEG_PATH/],
    ['wrong settings', { HOLD_SECONDS: 'long', PORT: '70000' }, 78, /PORT must.*HOLD_SECONDS must/],
  ])('says in one line what is wrong: %s', async (_what, wrong, expected, line) => {
    const env = await settings({ ...wrong, LOG_LEVEL: 'silent' });
    const { exitCode, stderr } = await vibesflow(['serve'], { env, cwd: home });
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(exitCode).toBe(expected);
  });
});
