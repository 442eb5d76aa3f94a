import { Command, InvalidArgumentError, Option } from 'commander';
import { mintToken } from '../auth/mint-token';
import { ROLES, type Role } from '../auth/grant';
import { loadConfig } from '../base/config';
import { EXIT_CONFIG, OperatorError, Problem } from '../base/errors';
import { EXIT_USAGE } from './exit-code';
import type { CommandContext } from './program';
import { inspectTokenCommand } from './token-inspect';
import { userName } from './user-name';

interface TokenOptions {
  readonly role?: Role;
  readonly vibe?: string;
  readonly expires: number;
  readonly subject: string;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const EXAMPLES = `
Examples:
  $ vibesflow token --role creator --vibe friday-night --expires 12h --subject ana
  $ vibesflow token --role participant --vibe 'show-*' --expires 10m
  $ vibesflow token --role admin --expires 30d > /etc/prometheus/vibesflow.token
  $ pbpaste | vibesflow token inspect

The token is signed with AUTH_SECRET, from the environment or .env in this directory, and printed on standard output. A
creator's subject is who its vibes belong to: nobody else's token sends to them, ends them or takes over. A token in a URL
(?token=) must not live for longer than an hour.
Exit codes: 0 printed; 64 wrong options; 78 no AUTH_SECRET, or wrong settings.`;

/** `vibesflow token`: mints a token for `AUTH_MODE=token`. */
export function tokenCommand(context: CommandContext): Command {
  return new Command('token')
    .description('mint a token that says who may do what, or look into one')
    .addOption(new Option('--role <role>', 'what its bearer may do').choices(ROLES))
    .option('--vibe <id>', 'the vibe it is for, or a pattern such as show-* (an admin’s is for all)')
    .option('--expires <time>', 'how long it is good for: 90s, 15m, 12h or 7d', lifeOption, 3_600)
    .option('--subject <name>', 'who bears it', userName())
    .addHelpText('after', EXAMPLES)
    .addCommand(inspectTokenCommand(context))
    .action(async (options: TokenOptions) => {
      context.output.stdout.write(`${await mint(options, context)}\n`);
    });
}

async function mint(
  { role, vibe, expires, subject }: TokenOptions,
  context: CommandContext,
): Promise<string> {
  if (role === undefined)
    throw new OperatorError('A token needs a --role (see vibesflow token --help)', EXIT_USAGE);
  const { authSecret, authAudience, authIssuer } = loadConfig(context.env);
  if (authSecret === undefined)
    throw new OperatorError(
      'AUTH_SECRET is not set: make one with `openssl rand -base64 32`, and give it to the daemon, too',
      EXIT_CONFIG,
    );
  const iat = Math.floor(Date.now() / 1000);
  try {
    return await mintToken(
      { sub: subject, role, ...(vibe === undefined ? {} : { vibe }), iat, exp: iat + expires },
      { secret: authSecret, audience: authAudience, issuer: authIssuer },
    );
  } catch (error) {
    if (error instanceof Problem) throw new OperatorError(error.message, EXIT_USAGE);
    throw error;
  }
}

/** @returns seconds */
function lifeOption(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('It must be a time such as 90s, 15m, 12h or 7d.');
  return Number(count) * (UNIT_SECONDS[unit] as number);
}
