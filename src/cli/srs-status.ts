import { Command } from 'commander';
import { systemClock } from '../base/clock';
import { loadConfig } from '../base/config';
import { EXIT_UNAVAILABLE, OperatorError } from '../base/errors';
import { SrsApi } from '../media-server/srs/api';
import { versionText } from '../media-server/srs/lines';
import { knownBugs } from '../media-server/srs-supervisor/known-bugs';
import { presence, uptimeSeconds } from '../media-server/srs-supervisor/presence';
import type { CommandContext } from './program';
import { srsApiUrl } from './srs-api-url';
import { clockText } from './terminal';

const EXAMPLES = `
Examples:
  $ vibesflow srs status
  $ vibesflow srs status --json | jq .streams

Asks SRS's API, where the settings say that it is.
Exit codes: 0 SRS answers; 64 wrong options; 69 it does not; 78 wrong settings.`;

/** `vibesflow srs status`: what runs there, since when, with which streams and known faults. */
export function srsStatusCommand(context: CommandContext): Command {
  return new Command('status')
    .description('what SRS runs, since when, with which streams and known faults')
    .option('--json', 'write it to standard output as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json }: { json?: boolean }) => {
      const status = await ask(srsApiUrl(loadConfig(context.env)));
      context.output.stdout.write(json ? `${JSON.stringify(status, null, 2)}\n` : inWords(status));
    });
}

async function ask(apiUrl: string) {
  const api = new SrsApi({ baseUrl: apiUrl, clock: systemClock });
  try {
    const { pid, version } = await presence(apiUrl, systemClock);
    const { streams } = await api.streams();
    return {
      release: versionText(version),
      pid,
      uptimeSeconds: await uptimeSeconds(apiUrl, systemClock),
      streams: streams.map(({ url, publishing, clients }) => ({
        url,
        publishing,
        players: Math.max(0, clients - (publishing ? 1 : 0)),
      })),
      knownFaults: knownBugs(version).map(({ id, what, remedy }) => ({ id, what, remedy })),
    };
  } catch (error) {
    throw new OperatorError(`No SRS answers at ${apiUrl}: ${(error as Error).message}`, EXIT_UNAVAILABLE);
  } finally {
    api.close();
  }
}

function inWords({
  release,
  pid,
  uptimeSeconds: up,
  streams,
  knownFaults,
}: Awaited<ReturnType<typeof ask>>): string {
  const lines = [
    `SRS ${release}, process ${pid}, up for ${clockText(up)}`,
    `${streams.length} streams, ${streams.reduce((sum, { players }) => sum + players, 0)} players`,
    ...streams.map(
      ({ url, publishing, players }) =>
        `  ${url}: ${publishing ? 'on air' : 'no publisher'}, ${players} players`,
    ),
    ...knownFaults.flatMap(({ id, what, remedy }) => [`known fault ${id}: ${what}`, `  ${remedy}`]),
  ];
  return `${lines.join('\n')}\n`;
}
