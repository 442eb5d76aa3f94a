import { Command } from 'commander';
import type { CommandContext } from './program';
import { srsConfCommand } from './srs-conf';
import { srsRunCommand } from './srs-run';
import { srsStatusCommand } from './srs-status';

const EXAMPLES = `
Examples:
  $ vibesflow srs run
  $ vibesflow srs status
  $ vibesflow srs conf --for 7 > srs.conf

Each has --help of its own. They read the same settings as the daemon: the environment, and .env in this directory.`;

/** `vibesflow srs`: the production media server beside the relay. */
export function srsCommand(context: CommandContext): Command {
  const command = new Command('srs')
    .description('SRS, the media server for production: its configuration, its supervisor, its state')
    .addHelpText('after', EXAMPLES);
  for (const sub of [srsRunCommand, srsStatusCommand, srsConfCommand]) {
    command.addCommand(sub(context));
  }
  return command;
}
