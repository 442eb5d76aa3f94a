import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HlsFiles } from '../../../src/media-server/srs/hls-files';
import { eventually } from '../../helpers/eventually';
import { FakeClock } from '../../helpers/fake-clock';
import { silentLogger } from '../../helpers/silent-logger';

describe('the HLS files of SRS', () => {
  let directory: string;
  let clock: FakeClock;
  let files: HlsFiles;

  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-hls-'));
    clock = new FakeClock();
    files = new HlsFiles({ directory, clock, logger: silentLogger });
  });

  afterEach(async () => {
    await files.close();
    expect(clock.pendingTimers).toBe(0);
    rmSync(directory, { recursive: true });
  });

  function write(...names: string[]): void {
    for (const name of names) writeFileSync(path.join(directory, name), 'x');
  }

  const left = (): string[] => readdirSync(directory).sort();

  it('of a vibe go half a minute after it is over, and nobody else’s', async () => {
    files.keep('song');
    files.keep('song-2');
    write('song.m3u8', 'song.m3u8.tmp', 'song-1700000000-0.ts', 'song-1700000001-1.ts.tmp');
    write('song-2.m3u8', 'song-2-1700000000-0.ts', 'notes.txt', 'song.flv');
    files.forget('song');
    clock.advance(29_000);
    expect(left()).toHaveLength(8);
    clock.advance(1_000);
    await eventually('tidied', () => !existsSync(path.join(directory, 'song.m3u8')) && left().length === 4);
    expect(left()).toEqual(['notes.txt', 'song-2-1700000000-0.ts', 'song-2.m3u8', 'song.flv']);
  });

  it('stay where the vibe is back in time', async () => {
    files.keep('song');
    write('song.m3u8');
    files.forget('song');
    clock.advance(29_000);
    files.keep('song');
    clock.advance(59_000);
    await files.close();
    expect(left()).toEqual(['song.m3u8']);
  });

  it('of earlier daemons go a minute after the start, unless their creator is back', async () => {
    write('old.m3u8', 'old-1700000000-7.ts', 'back.m3u8', 'ending.m3u8');
    files.keep('back');
    files.keep('ending');
    clock.advance(50_000);
    files.forget('ending');
    clock.advance(10_000);
    await eventually('swept', () => left().length === 2);
    expect(left()).toEqual(['back.m3u8', 'ending.m3u8']);
  });

  it('need not be there', async () => {
    rmSync(directory, { recursive: true });
    files.keep('song');
    files.forget('song');
    clock.advance(60_000);
    await files.close();
    expect(existsSync(directory)).toBe(false);
    directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-hls-'));
  });
});
