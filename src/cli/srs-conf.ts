import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../base/config';
import { srsConf, srsConfOptions } from '../media-server/srs/conf';
import { type SrsVersion, versionFor } from '../media-server/srs/lines';
import { portOption } from './options';
import type { CommandContext } from './program';

const EXAMPLES = `
Examples:
  $ vibesflow srs conf > srs.conf
  $ vibesflow srs conf --for 6
  $ vibesflow srs conf --for 7.0.162
  $ PORT=3101 HOOK_SECRET=0123456789abcdef vibesflow srs conf

Ports, the address for WebRTC, the secret of the hooks and DATA_DIR are the daemon's own settings: the environment, and .env
in this directory. A line alone (5, 6, 7) stands for the release of it that was tried: 5.0.216, 6.0.157, 7.0.18; the first
line of what is printed says which other releases take the same. Paths are relative where DATA_DIR is in this directory:
start SRS from here. "vibesflow srs run" does all of this by itself.
Exit codes: 0 printed; 64 wrong options; 78 wrong settings.`;

/** `vibesflow srs conf`: the configuration for a release of SRS, on standard output. */
export function srsConfCommand(context: CommandContext): Command {
  return new Command('conf')
    .description('print the configuration of SRS for this relay')
    .option('--for <line>', '5, 6, 7 or a release such as 7.0.162', versionOption, versionFor('7'))
    .option('--port <n>', 'the daemon’s port, where SRS calls its hooks (the setting PORT)', portOption)
    .addHelpText('after', EXAMPLES)
    .action((options: { for: SrsVersion; port?: number }) => {
      const env = options.port === undefined ? context.env : { ...context.env, PORT: String(options.port) };
      const config = loadConfig(env);
      const directory = fromHere(path.join(config.dataDir, 'srs'));
      context.output.stdout.write(srsConf(srsConfOptions(config, options.for, directory)));
    });
}

function versionOption(text: string): SrsVersion {
  try {
    return versionFor(text);
  } catch (error) {
    throw new InvalidArgumentError(`It ${(error as Error).message}.`);
  }
}

/** Relative below this directory, so that the same settings print the same text on every machine; else as it is. */
function fromHere(directory: string): string {
  const relative = path.relative(process.cwd(), directory);
  return relative.startsWith('..') || path.isAbsolute(relative) ? directory : `./${relative}`;
}
