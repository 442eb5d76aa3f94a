import { Command } from 'commander';
import { type Config, loadConfig } from '../base/config';
import { OperatorError } from '../base/errors';
import {
  type Check,
  checkDaemon,
  checkDataDir,
  checkFfmpeg,
  checkNode,
  checkOpenFiles,
  checkPorts,
  checkSetpriv,
} from './checks';
import type { CommandContext } from './program';
import { findProgram } from './which';

/** `vibesflow doctor`: whether this machine can run the relay, and what to do where it cannot. */
export function doctorCommand(context: CommandContext): Command {
  return new Command('doctor')
    .description('look around: can the relay run here, and does it?')
    .option('--json', 'write the checks to standard output as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ vibesflow doctor
  $ vibesflow doctor --json | jq '.checks[] | select(.result != "ok")'

Reads the same settings as the daemon: the environment, and .env in this directory.
Exit codes: 0 nothing stands in the way; 1 something does; 64 wrong options.`,
    )
    .action(async (options: { json?: boolean }) => {
      const checks = await examine(context.env);
      const failed = checks.some(({ result }) => result === 'fail');
      const { stdout } = context.output;
      if (options.json) stdout.write(`${JSON.stringify({ ok: !failed, checks }, null, 2)}\n`);
      else for (const check of checks) stdout.write(`${line(check)}\n`);
      context.exitCode = failed ? 1 : 0;
    });
}

async function examine(env: CommandContext['env']): Promise<Check[]> {
  const checks = [checkNode()];
  let config: Config;
  try {
    config = loadConfig(env);
    checks.push({ name: 'settings', result: 'ok', found: 'all are valid' });
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    checks.push({
      name: 'settings',
      result: 'fail',
      found: error.message,
      remedy: 'mend them; see the README',
    });
    return checks;
  }
  const daemon = await checkDaemon(config);
  return [
    ...checks,
    await checkFfmpeg(config.ffmpegPath, env),
    ...(await checkPorts(config, daemon.running)),
    checkDataDir(config.dataDir),
    checkOpenFiles(),
    checkSetpriv(findProgram('setpriv', env['PATH'])),
    ...daemon.checks,
  ];
}

function line({ name, result, found, remedy }: Check): string {
  return `${result.padEnd(4)}  ${name}: ${found}${remedy ? ` → ${remedy}` : ''}`;
}
