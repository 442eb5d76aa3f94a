import { Command, CommanderError } from 'commander';
import { OperatorError } from '../base/errors';
import { version } from '../base/version';
import { doctorCommand } from './doctor';
import { EXIT_OK, EXIT_USAGE } from './exit-code';
import { listenCommand } from './listen';
import { nginxCommand } from './nginx';
import { publishCommand } from './publish';
import { serveCommand } from './serve';
import { srsCommand } from './srs';
import type { Output } from './terminal';
import { tokenCommand } from './token';
import { tuneCommand } from './tune-command';

/** What a command is given besides its own arguments. */
export interface CommandContext {
  readonly output: Output;
  /** Standard input; opened when it is asked for. */
  readonly input: () => AsyncIterable<Buffer | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The command says here how it ended; 0 where it says nothing. */
  exitCode: number;
}

/**
 * The `vibesflow` command.
 * @param args without the program's name
 * @returns the exit code: 0, 64 for a wrong command line, or what the command says. Never throws; every fault is one
 *   line on standard error.
 */
export async function run(
  args: readonly string[],
  output: Output = process,
  env: CommandContext['env'] = process.env,
  input: CommandContext['input'] = () => process.stdin,
): Promise<number> {
  const context: CommandContext = { output, input, env, exitCode: EXIT_OK };
  try {
    await program(context).parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    if (error instanceof OperatorError) {
      output.stderr.write(`${error.message}\n`);
      return error.exitCode;
    }
    output.stderr.write(`Something went wrong in here: ${(error as Error).stack ?? String(error)}\n`);
    return 70;
  }
}

function program(context: CommandContext): Command {
  const { output } = context;
  const command = new Command('vibesflow')
    .description('A live-audio relay: creators send raw PCM, people listen over HTTP-FLV and HLS.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void output.stdout.write(text),
      writeErr: (text) => void output.stderr.write(text),
      // One line: what is wrong, and where to look.
      outputError: (text, write) => write(`${text.trim()} (see vibesflow --help)\n`),
    });
  for (const sub of [
    serveCommand,
    publishCommand,
    listenCommand,
    tuneCommand,
    doctorCommand,
    srsCommand,
    nginxCommand,
    tokenCommand,
  ]) {
    command.addCommand(heir(sub(context), command));
  }
  return command;
}

/** A command and those below it, with the manners of the whole program. */
function heir(child: Command, parent: Command): Command {
  child.copyInheritedSettings(parent);
  for (const grandchild of child.commands) heir(grandchild, child);
  return child;
}
