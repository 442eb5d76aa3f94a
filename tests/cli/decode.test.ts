import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { decode, decodeArguments } from '../../src/cli/decode';
import { tuneWav } from '../../src/cli/tune';
import { FFMPEG } from '../helpers/ffmpeg';

describe('decoding with FFmpeg', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-decode-'));
  const wav = path.join(directory, '-tune, with: a name.wav');
  const pcm = Buffer.concat([...tuneWav(0.5)].slice(1));
  beforeAll(() => writeFileSync(wav, Buffer.concat([...tuneWav(0.5)])));
  afterAll(() => rmSync(directory, { recursive: true }));

  const read = async (options: Partial<Parameters<typeof decode>[0]>): Promise<Buffer[]> => {
    const blocks: Buffer[] = [];
    for await (const block of decode({ ffmpeg: FFMPEG, input: wav, ...options })) blocks.push(block);
    return blocks;
  };

  it('gives the samples of a file as they are, in blocks of 20 ms', async () => {
    const blocks = await read({});
    expect(blocks.every(({ length }) => length === 3_840)).toBe(true);
    expect(Buffer.concat(blocks).equals(pcm)).toBe(true);
  });

  it('converts bare PCM of another rate and channel count', async () => {
    const raw = path.join(directory, 'mono.raw');
    writeFileSync(raw, Buffer.alloc(16_000 * 2));
    const blocks = await read({
      input: raw,
      raw: { sampleFormat: 's16le', sampleRate: 16_000, channels: 1 },
    });
    expect(Math.abs(Buffer.concat(blocks).length - 192_000)).toBeLessThan(4 * 100);
  });

  it('begins again where it is to loop, and ends FFmpeg when the reader leaves', async () => {
    let bytes = 0;
    for await (const block of decode({ ffmpeg: FFMPEG, input: wav, loop: true })) {
      bytes += block.length;
      if (bytes > 3 * pcm.length) break;
    }
    expect(bytes).toBeGreaterThan(3 * pcm.length);
  });

  it('ends in the middle of a wait when it is told to', async () => {
    const controller = new AbortController();
    const blocks = decode({ ffmpeg: FFMPEG, input: wav, loop: true, signal: controller.signal });
    await blocks.next();
    controller.abort();
    for await (const block of blocks) expect(block.length).toBeGreaterThan(0);
  });

  it('says that there is no such file', async () => {
    await expect(read({ input: path.join(directory, 'none.mp3') })).rejects.toMatchObject({
      message: expect.stringContaining('none.mp3: there is no such file'),
      exitCode: 65,
    });
  });

  it('says what FFmpeg says of a file that is no audio', async () => {
    const text = path.join(directory, 'letter.txt');
    writeFileSync(text, 'Dear Sir or Madam');
    await expect(read({ input: text })).rejects.toMatchObject({
      message: expect.stringMatching(/letter\.txt cannot be read: .*Invalid data/),
      exitCode: 65,
    });
  });

  it('says that FFmpeg cannot be run', async () => {
    await expect(read({ ffmpeg: '/nowhere/ffmpeg' })).rejects.toMatchObject({ exitCode: 69 });
  });

  it('leaves URLs to FFmpeg', () => {
    expect(decodeArguments({ ffmpeg: FFMPEG, input: 'https://example.org/a.mp3' })).toContain(
      'https://example.org/a.mp3',
    );
    expect(decodeArguments({ ffmpeg: FFMPEG, input: '-' })).toContain('pipe:0');
  });
});
