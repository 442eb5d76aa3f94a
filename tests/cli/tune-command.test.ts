import { run } from '../../src/cli/program';
import { tuneWav } from '../../src/cli/tune';
import { CapturedOutput } from '../helpers/captured-output';

describe('vibesflow tune', () => {
  it('writes a WAV file of the length asked for', async () => {
    const output = new CapturedOutput();
    expect(await run(['tune', '--seconds', '0.2'], output, {})).toBe(0);
    expect(output.stdout.bytes.equals(Buffer.concat([...tuneWav(0.2)]))).toBe(true);
    expect(output.stderr.text).toBe('');
  });

  it('ends without a word when the reader has heard enough', async () => {
    const output = new CapturedOutput();
    output.stdout._write = (_piece, _encoding, done: (error?: Error) => void): void =>
      done(new Error('EPIPE'));
    expect(await run(['tune', '--seconds', '600'], output, {})).toBe(0);
    expect(output.stderr.text).toBe('');
  });
});
