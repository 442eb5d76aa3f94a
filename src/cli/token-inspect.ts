import { Command } from 'commander';
import { TokenVerifier } from '../auth/token-verifier';
import { systemClock } from '../base/clock';
import { type Config, loadConfig } from '../base/config';
import { Problem } from '../base/errors';
import { createLogger } from '../base/logger';
import { EXIT_DATA } from './exit-code';
import type { CommandContext } from './program';

const MAX_INPUT_CHARS = 16_384;
const HELP = `
Examples:
  $ vibesflow token inspect < token.txt
  $ vibesflow token --role admin --expires 1d | vibesflow token inspect

The token comes by standard input, so that it stands in no shell's history and in no list of processes. It is checked as the
daemon would check it, with the keys of the environment or of .env in this directory.
Exit codes: 0 the daemon would take it; 65 it would not, or it is no token; 78 wrong settings.`;

/** `vibesflow token inspect`: says what a token says, and whether the daemon would take it. */
export function inspectTokenCommand(context: CommandContext): Command {
  return new Command('inspect')
    .description('say what a token (on standard input) grants, and whether it would be taken')
    .addHelpText('after', HELP)
    .action(async () => {
      const token = await readToken(context.input());
      const { stdout } = context.output;
      for (const [name, value] of Object.entries(claimsIn(token)))
        stdout.write(`${name.padEnd(8)} ${worded(name, value)}\n`);
      const fault = await faultOf(token, loadConfig(context.env));
      stdout.write(`${'taken'.padEnd(8)} ${fault === undefined ? 'yes' : `no: ${fault}`}\n`);
      if (fault !== undefined) context.exitCode = EXIT_DATA;
    });
}

async function readToken(input: AsyncIterable<Buffer | string>): Promise<string> {
  let text = '';
  for await (const piece of input) {
    text += piece.toString();
    if (text.length > MAX_INPUT_CHARS) break;
  }
  return text.trim().replace(/^Bearer +/i, '');
}

/** What the token says, believed or not; nothing where it cannot be read. */
function claimsIn(token: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Why the daemon would refuse it; nothing where it would not. */
async function faultOf(token: string, config: Config): Promise<string | undefined> {
  const logger = createLogger({ level: 'silent', format: 'json' });
  const verifier = await TokenVerifier.open({ config, clock: systemClock, logger });
  try {
    await verifier.verify(token);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}

/** As JSON, so that nothing in a stranger's token reaches the terminal as it is. */
function worded(name: string, value: unknown): string {
  const text = JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
  const isTime =
    ['exp', 'iat', 'nbf'].includes(name) && typeof value === 'number' && Math.abs(value) < 8.64e12;
  return isTime ? `${text} (${new Date(value * 1000).toISOString()})` : text;
}
