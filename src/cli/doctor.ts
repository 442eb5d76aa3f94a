import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type Config, loadConfig } from '../base/config';
import { OperatorError } from '../base/errors';
import type { Check } from './doctor/check';
import { checkFront } from './doctor/front';
import { checkLive } from './doctor/live';
import {
  checkClock,
  checkDataDir,
  checkDisk,
  checkExposure,
  checkFfmpeg,
  checkNode,
  checkOpenFiles,
  checkPorts,
  checkSetpriv,
} from './doctor/machine';
import { checkDaemon } from './doctor/relay';
import { checkSrs } from './doctor/srs';
import { commandFfmpeg } from './ffmpeg';
import type { CommandContext } from './program';
import { findProgram } from './which';

interface DoctorOptions {
  readonly json?: boolean;
  readonly live?: boolean;
}

const HELP = `
Examples:
  $ vibesflow doctor
  $ vibesflow doctor --live
  $ vibesflow doctor --json | jq '.checks[] | select(.result != "ok")'

Follows the chain: this machine, the daemon, the media server, and the public address where PUBLIC_URL names one. Where it
breaks, the first line says so. With --live, some seconds of tone are sent into a vibe of the doctor's own and must be
heard by HTTP-FLV and HLS. Nothing else is changed, and nothing is written.
Reads the same settings as the daemon: the environment, and .env in this directory.
Exit codes: 0 nothing stands in the way; 1 something does; 64 wrong options.`;

/** `vibesflow doctor`: whether the relay can run here and does, from the machine to the listener; and which link fails. */
export function doctorCommand(context: CommandContext): Command {
  return new Command('doctor')
    .description('look around: can the relay run here, and does it?')
    .option('--live', 'also send a tone into a vibe of its own and listen to it')
    .option('--json', 'write the checks to standard output as JSON')
    .addHelpText('after', HELP)
    .action(async (options: DoctorOptions) => {
      const checks = await examine(context.env, options);
      const failing = checks.find(({ result }) => result === 'fail');
      const { stdout } = context.output;
      if (options.json) {
        const report = { ok: !failing, failing: failing?.name ?? null, checks };
        stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      } else {
        if (failing) stdout.write(`The chain breaks at: ${failing.name}\n`);
        for (const check of checks) stdout.write(`${line(check)}\n`);
      }
      context.exitCode = failing ? 1 : 0;
    });
}

async function examine(env: CommandContext['env'], { live }: DoctorOptions): Promise<Check[]> {
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
  const ffmpeg = await checkFfmpeg(config.ffmpegPath, env);
  const clock = checkClock();
  checks.push(
    ffmpeg,
    checkSetpriv(findProgram('setpriv', env['PATH'])),
    checkDataDir(config.dataDir),
    checkDisk(config.dataDir),
    checkOpenFiles(),
    ...(clock ? [clock] : []),
    checkExposure(config),
    ...(await checkPorts(config, daemon.running)),
    ...(config.mediaServer === 'srs' ? await checkSrs(config, daemon.running) : []),
    ...daemon.checks,
    ...(await checkFront(config, certificates(env))),
  );
  if (live && ffmpeg.result === 'ok')
    checks.push(...(await checkLive(config, commandFfmpeg(config.ffmpegPath, env))));
  return checks;
}

/** A CA of one's own, by the variable that Node itself reads when it starts. */
function certificates(env: CommandContext['env']): { ca?: string } {
  const file = env['NODE_EXTRA_CA_CERTS'];
  return file && existsSync(file) ? { ca: readFileSync(file, 'utf8') } : {};
}

function line({ name, result, found, remedy }: Check): string {
  return `${result.padEnd(4)}  ${name}: ${found}${remedy ? ` → ${remedy}` : ''}`;
}
