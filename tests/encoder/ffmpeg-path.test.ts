import { chmodSync, copyFileSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { OperatorError } from '../../src/base/errors';
import { findFfmpeg, probeFfmpeg } from '../../src/encoder/ffmpeg-path';
import { ENVIRONMENT, fixture } from './encoder-house';

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(os.tmpdir(), 'ffmpeg-path-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const NO_PATH = { PATH: '' };
const nothing = (): string => {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- the package throws a string
  throw 'Unsupported platform/architecture: plan9-vax';
};

describe('which FFmpeg is run', () => {
  it('is the configured one before all others', () => {
    expect(findFfmpeg(fixture('obedient'), ENVIRONMENT, nothing)).toBe(fixture('obedient'));
  });

  it('may be configured by a bare name, which is looked for on the PATH', () => {
    symlinkSync(fixture('obedient'), path.join(directory, 'my-ffmpeg'));
    expect(findFfmpeg('my-ffmpeg', { PATH: directory }, nothing)).toBe(path.join(directory, 'my-ffmpeg'));
  });

  it.each([
    ['is not there', '/nonexistent/ffmpeg'],
    ['cannot be run', __filename],
    ['is a directory', __dirname],
    ['is not on the PATH', 'no-such-ffmpeg'],
  ])('is none, and never another one, where the configured one %s', (_case, configured) => {
    const find = (): string => findFfmpeg(configured, ENVIRONMENT);
    expect(find).toThrow(OperatorError);
    expect(find).toThrow(`FFMPEG_PATH names no program that can be run: ${configured}`);
  });

  it('is the first on the PATH that can be run, else the packaged one', () => {
    const [first, second] = [path.join(directory, 'ffmpeg'), path.join(path.dirname(directory), 'none')];
    writeFileSync(first, 'not yet executable');
    const find = (): string =>
      findFfmpeg(undefined, { PATH: `relative:${second}:${directory}` }, () => fixture('deaf'));
    expect(find()).toBe(fixture('deaf'));
    chmodSync(first, 0o755);
    expect(find()).toBe(first);
  });

  it('is made executable where the package’s install script did not run', () => {
    const packaged = path.join(directory, 'packaged');
    copyFileSync(fixture('obedient'), packaged);
    chmodSync(packaged, 0o644);
    expect(findFfmpeg(undefined, NO_PATH, () => packaged)).toBe(packaged);
    expect(statSync(packaged).mode & 0o777).toBe(0o755);
  });

  it('is missing, in one line, where the platform has no package', () => {
    const find = (): string => findFfmpeg(undefined, NO_PATH, nothing);
    expect(find).toThrow(OperatorError);
    expect(find).toThrow(/^No FFmpeg: .*plan9-vax.*set FFMPEG_PATH$/);
  });
});

describe('the probe', () => {
  it('takes the packaged FFmpeg, which does not say its number, for the 4.x that it is', async () => {
    const info = await probeFfmpeg(findFfmpeg(undefined, NO_PATH), ENVIRONMENT);
    expect(info).toMatchObject({ major: 4, readsCaf: false });
  });

  it.each([
    ['is too old', fixture('of-3'), 'FFmpeg 3.4.8-0ubuntu0.2 (PATH) is too old: 4 or newer is needed'],
    [
      'lacks parts',
      fixture('without-aac'),
      'FFmpeg 5.1.9 (PATH) was built without the AAC encoder and the FLV format and the RTMP protocol',
    ],
    ['is another program', '/bin/true', 'This is no FFmpeg: PATH'],
    ['is not there', '/nonexistent/ffmpeg', 'FFmpeg cannot be run: spawn PATH ENOENT'],
    ['ends with an error', '/bin/false', 'FFmpeg cannot be run: Command failed: PATH -hide_banner -version'],
  ])('refuses, in one line, an FFmpeg that %s', async (_case, program, line) => {
    const refusal: unknown = await probeFfmpeg(program, ENVIRONMENT).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OperatorError);
    expect((refusal as OperatorError).message).toBe(line.replace('PATH', program));
    expect((refusal as OperatorError).exitCode).toBe(69);
  });
});
