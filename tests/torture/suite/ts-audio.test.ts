import { splitAdts } from '../../helpers/adts';
import { FFMPEG, QUIET } from '../../helpers/ffmpeg';
import { outputOf } from '../../helpers/run-program';
import { stereoNoise } from '../continuity/noise';
import { tsAudio } from './ts-audio';

describe('the audio of a transport stream', () => {
  it('is what FFmpeg takes out of it', async () => {
    const input = ['-f', 's16le', '-ar', '48000', '-ac', '2', '-i', 'pipe:0'];
    const encode = [...QUIET, ...input, '-c:a', 'aac', '-f', 'mpegts', 'pipe:1'];
    const segment = await outputOf(FFMPEG, encode, { input: stereoNoise(1, 0.5) });
    const copy = [...QUIET, '-f', 'mpegts', '-i', 'pipe:0', '-c', 'copy', '-f', 'adts', 'pipe:1'];
    const copied = await outputOf(FFMPEG, copy, { input: segment });
    expect(splitAdts(tsAudio(segment))).toEqual(splitAdts(copied));
    expect(splitAdts(copied).length).toBeGreaterThan(20);
  });

  it('is not looked for in what is no transport stream', () => {
    expect(() => tsAudio(Buffer.alloc(188))).toThrow('no transport packet at byte 0 of 188');
    expect(() => tsAudio(Buffer.alloc(100, 0x47))).toThrow('no transport packet');
    expect(tsAudio(Buffer.alloc(0))).toHaveLength(0);
  });
});
