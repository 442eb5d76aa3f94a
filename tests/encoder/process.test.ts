import { once } from 'node:events';
import path from 'node:path';
import { exitReason, type ProcessEnd } from '../../src/encoder/exit';
import type { EncoderProcess } from '../../src/encoder/process';
import { findLeash } from '../../src/encoder/spawn';
import { runProgram } from '../helpers/run-program';
import { silentLogger } from '../helpers/silent-logger';
import {
  CHUNK,
  CHUNK_SAMPLES,
  ENVIRONMENT,
  expectNoChildren,
  feed,
  fixture,
  processOf,
} from './encoder-house';

async function endOf(child: EncoderProcess): Promise<ProcessEnd> {
  const [end] = (await once(child, 'exit')) as [ProcessEnd];
  return end;
}

describe('one encoder process', () => {
  afterEach(expectNoChildren);

  it('is writable once it runs, and counts the samples that it is fed', async () => {
    const { child } = processOf(fixture('obedient'));
    expect(child.writable).toBe(false);
    await once(child, 'writable');
    child.write(CHUNK);
    expect(child.samplesFed).toBe(CHUNK_SAMPLES);
    await child.end();
  });

  it('plays its tail when its input ends, and reports where it came to', async () => {
    const { child, clock } = processOf(fixture('obedient'));
    const ended = endOf(child);
    await feed(child, Buffer.alloc(192_000));
    await child.end();
    const end = await ended;
    expect(end).toMatchObject({ exitCode: 0, asked: 'end', forced: false });
    expect(exitReason(end)).toBe('ended');
    expect(child.outTimeUs).toBe(1_000_000);
    expect(child.pid).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it('writes the preamble first and does not count it', async () => {
    const { child } = processOf(fixture('obedient'), { preamble: Buffer.alloc(96_000) });
    await feed(child, Buffer.alloc(96_000));
    await child.end();
    expect(child.outTimeUs).toBe(1_000_000);
    expect(child.samplesFed).toBe(24_000);
  });

  it('is not writable while its pipe is full', async () => {
    const { child } = processOf(fixture('blocks'));
    await once(child, 'writable');
    let written = 0;
    while (child.writable) {
      child.write(CHUNK);
      written += CHUNK.length;
    }
    expect(child.blocked).toBe(true);
    // Linux takes some 200 kB into the socket; no more than one chunk beyond that waits in this process.
    expect(written).toBeLessThan(1_000_000);
    await child.close();
  });

  it('says when its pipe has drained', async () => {
    const { child } = processOf(fixture('obedient'));
    await once(child, 'writable');
    child.write(Buffer.alloc(4_000_000));
    expect(child.writable).toBe(false);
    await once(child, 'writable');
    expect(child.writable).toBe(true);
    await child.end();
    expect(child.outTimeUs).toBe(Math.round((4_000_000 / 192_000) * 1e6));
  });

  it('asks, then sends SIGTERM, then SIGKILL', async () => {
    const { child, clock } = processOf(fixture('deaf'));
    await once(child, 'progress');
    const ended = endOf(child);
    const done = child.end();
    await clock.advanceAsync(6_000, 500);
    await done;
    const end = await ended;
    expect(end).toMatchObject({ signal: 'SIGKILL', asked: 'end', forced: true });
    expect(exitReason(end)).toBe('cut-short');
  });

  it('ends with SIGTERM when it is closed', async () => {
    const { child } = processOf(fixture('blocks'));
    await once(child, 'progress');
    const ended = endOf(child);
    await Promise.all([child.close(), child.close()]);
    expect(exitReason(await ended)).toBe('stopped');
  });

  it('can be closed while it is being ended; the first cause is kept', async () => {
    const { child } = processOf(fixture('blocks'));
    await once(child, 'progress');
    const ended = endOf(child);
    await Promise.all([child.end(), child.close()]);
    expect(await ended).toMatchObject({ asked: 'end', forced: true, exitCode: 255 });
    child.killStalled();
  });

  it('takes a broken pipe for the sign of death that it is, and keeps the last words without secrets', async () => {
    const { child } = processOf(fixture('dies-later'), { args: ['x'] });
    const ended = endOf(child);
    await once(child, 'writable');
    for (let written = 0; written < 400; written += 1) child.write(CHUNK);
    const end = await ended;
    expect(exitReason(end)).toBe('output-failed');
    expect(child.samplesFed).toBe(400 * CHUNK_SAMPLES);
    expect(child.stderr).toEqual(['av_interleaved_write_frame(): Broken pipe']);
    expect(child.writable).toBe(false);
    child.write(CHUNK);
    expect(child.samplesFed).toBe(401 * CHUNK_SAMPLES);
  });

  it('hides the secrets of its URL in what it keeps of stderr', async () => {
    const url = 'rtmp://127.0.0.1/live/song/one-time-secret?key=abc';
    const { child } = processOf(fixture('dies-at-once'), { args: [url] });
    await endOf(child);
    expect(child.stderr).toEqual(['rtmp://127.0.0.1/live/song/***?key=*** Connection refused']);
  });

  it.each([
    ['there is no such program', '/nonexistent/ffmpeg', {}],
    ['the program is no program', __filename, {}],
    ['an argument cannot be passed on', fixture('obedient'), { args: ['a\0b'] }],
  ])('never lived where %s', async (_case, path, overrides) => {
    const { child } = processOf(path, overrides);
    const end = await endOf(child);
    expect(exitReason(end)).toBe('spawn-failed');
    expect(child.stderr.length).toBeGreaterThan(0);
    await child.end();
    await child.close();
  });

  it('never lived where the daemon has no descriptors left', async () => {
    const program = path.resolve(__dirname, '../fixtures/encoder-without-descriptors.js');
    const limited = ['-c', 'ulimit -n 64 && exec "$0" "$@"', process.execPath, program, fixture('obedient')];
    const { stdout, stderr } = await runProgram('/bin/sh', limited);
    expect(stderr).toBe('');
    expect(stdout.toString()).toMatch(/^spawn-failed false .*EMFILE/);
  });

  it('says the same where setpriv could not run it', async () => {
    const leash = await findLeash(ENVIRONMENT, silentLogger);
    if (leash.length === 0) return;
    const { child } = processOf('/nonexistent/ffmpeg', { leash });
    expect(exitReason(await endOf(child))).toBe('spawn-failed');
  });
});
