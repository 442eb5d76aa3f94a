import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Daemon } from '../../helpers/daemon';
import { eventually } from '../../helpers/eventually';
import { httpRequest } from '../../helpers/http-request';
import { allProcesses, openDescriptors } from '../../helpers/processes';
import type { Stage, Standing } from './stage';

/** What may come and go by itself: keep-alive connections, a timer's descriptor. */
const DESCRIPTORS = 3;
const HEAP_BYTES = 5 * 2 ** 20;
const SETTLES_WITHIN_MS = 10_000;
/** The relay keeps a vibe's HLS for 30 s after its end, so that players hear it out. */
const HLS_GONE_AFTER_MS = 32_000;
/** The configuration of SRS has the secret in it that its hooks come with. */
const MAY_HOLD_SECRETS = /(^|\/)srs\.conf$/;

/** What an act needs to have happened by its end, in words where it has not: a house as clean as before. */
export async function residueOf(stage: Stage, before: Standing): Promise<string[]> {
  const { daemon, inspector } = stage;
  const found: string[] = [];
  const settles = async (what: string, check: () => void | Promise<void>): Promise<void> => {
    await eventually(what, async () => (await check(), true), {
      withinMs: SETTLES_WITHIN_MS,
      everyMs: 100,
    }).catch((error: unknown) => found.push((error as Error).message));
  };
  await settles('no FFmpeg without a vibe', () => {
    const left = stage.encoders();
    if (left.length > 0) throw new Error(`${left.length} FFmpegs left`);
  });
  await settles('no orphan, no zombie', () => {
    const zombies = daemon.processes().filter(({ state }) => state === 'Z');
    const orphans = allProcesses().filter(({ argv }) =>
      argv.some((arg) => stage.publishTokens.some((token) => arg.includes(token))),
    );
    if (zombies.length + orphans.length > 0)
      throw new Error(`${zombies.length} zombies, ${orphans.length} orphans`);
  });
  await settles('descriptors back', () => {
    const grown = openDescriptors(daemon.pid) - before.daemonDescriptors;
    if (grown > DESCRIPTORS) throw new Error(`${grown} descriptors more`);
  });
  await settles('the media server’s descriptors back', () => {
    const { pid } = stage.mediaServer();
    if (pid !== before.mediaServer.pid) return;
    const grown = openDescriptors(pid) - before.mediaServer.descriptors;
    if (grown > DESCRIPTORS) throw new Error(`${grown} descriptors more`);
  });
  await settles('heap back', async () => {
    const grown = (await inspector.heapBytes()) - before.heapBytes;
    if (grown > HEAP_BYTES) throw new Error(`${(grown / 2 ** 20).toFixed(1)} MiB more heap`);
  });
  if (!daemon.isRunning) found.push('the daemon ended');
  else if (daemon.pid !== before.daemonPid) found.push('the daemon is another process');
  found.push(...(await hlsLeft(stage)));
  const shown = await httpRequest(`${daemon.apiUrl}/metrics`);
  found.push(...secretsIn(stage, 'the log', Buffer.from(daemon.output)));
  found.push(...secretsIn(stage, 'the metrics', shown.body));
  for (const { name, bytes } of filesOf(daemon)) found.push(...secretsIn(stage, name, bytes));
  return found;
}

/** What everybody may ask of a daemon and its media server while these vibes are on air: no secret may stand in it. */
export async function secretsAnswered(stage: Stage, vibeIds: readonly string[]): Promise<string[]> {
  const { daemon } = stage;
  const urls = [
    ...[
      '/',
      '/health',
      '/ready',
      '/streams/active',
      '/openapi.json',
      '/api/v1/streams/',
      '/api/v1/clients/',
    ].map((door) => `${daemon.apiUrl}${door}`),
    ...vibeIds.flatMap((vibeId) => [
      `${daemon.apiUrl}/stream/${vibeId}`,
      `${daemon.apiUrl}/vibestream/${vibeId}`,
      daemon.hlsUrl(vibeId),
    ]),
  ];
  const answers = await Promise.all(urls.map((url) => httpRequest(url)));
  return answers.flatMap(({ body, headers }, index) =>
    secretsIn(stage, urls[index] as string, Buffer.concat([Buffer.from(JSON.stringify(headers)), body])),
  );
}

function secretsIn(stage: Stage, where: string, bytes: Buffer): string[] {
  return stage.secrets.some((secret) => bytes.includes(secret)) ? [`a secret in ${where}`] : [];
}

/** Everything that the daemon and the media server write. */
function filesOf({ dataDir }: Daemon): { name: string; bytes: Buffer }[] {
  return readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !MAY_HOLD_SECRETS.test(file))
    .flatMap((file) => {
      try {
        return [{ name: path.relative(dataDir, file), bytes: readFileSync(file) }];
      } catch {
        // It has been removed meanwhile.
        return [];
      }
    });
}

/** Vibes that are over for so long that nothing of their HLS may be left, neither served nor on a disk. */
async function hlsLeft(stage: Stage): Promise<string[]> {
  const { daemon } = stage;
  const over = [...stage.ended].filter(([, endedMs]) => performance.now() - endedMs > HLS_GONE_AFTER_MS);
  const files = filesOf(daemon).map(({ name }) => path.basename(name));
  const isOf = (vibeId: string): RegExp => new RegExp(`^${vibeId}(\\.m3u8|-\\d+-\\d+\\.ts)`);
  const left = await Promise.all(
    over.map(async ([vibeId]) => {
      stage.ended.delete(vibeId);
      const { status } = await httpRequest(daemon.hlsUrl(vibeId));
      const isWritten = files.some((name) => isOf(vibeId).test(name));
      return status === 404 && !isWritten ? [] : [`HLS of ${vibeId} is left (${status})`];
    }),
  );
  return left.flat();
}
