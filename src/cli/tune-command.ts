import { once } from 'node:events';
import { Command } from 'commander';
import { secondsOption } from './options';
import type { CommandContext } from './program';
import { tuneWav } from './tune';

/** `vibesflow tune`: a WAV file to try things out with. */
export function tuneCommand(context: CommandContext): Command {
  return new Command('tune')
    .description('write a generated tune to standard output, as a WAV file (48 kHz, stereo, 16 bit)')
    .option('--seconds <n>', 'its length', secondsOption, 60)
    .addHelpText(
      'after',
      `
Examples:
  $ vibesflow tune > tune.wav
  $ vibesflow tune --seconds 600 | vibesflow publish - --vibe hello`,
    )
    .action(async (options: { seconds: number }) => {
      const { stdout } = context.output;
      let isOpen = true;
      // The reader may have heard enough, such as `head` or a curl that was stopped: no fault of ours.
      const onError = (): void => void (isOpen = false);
      stdout.on('error', onError);
      for (const bytes of tuneWav(options.seconds)) {
        if (!isOpen) break;
        if (!stdout.write(bytes)) await once(stdout, 'drain').catch(onError);
      }
      if (isOpen) stdout.off('error', onError);
    });
}
