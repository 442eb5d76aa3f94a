import { eventually } from '../../helpers/eventually';
import { residueOf } from '../suite/residue';
import { passedIf } from './judging';
import type { Holdings } from './memory';
import type { Judgement } from './result';
import type { Witnessed } from './soak';

const DESCRIPTORS = 3;
const SETTLES_WITHIN_MS = 12_000;

/** What has to be as before, when everybody is gone: it may take some seconds. */
export async function whatIsLeft(
  seen: Witnessed,
): Promise<{ residue: string[]; descriptors: string[]; handles: Judgement }> {
  const { stage, before, memory } = seen;
  const residue = await residueOf(stage, before.standing);
  let [descriptors, handles]: [string[], string[]] = [[], []];
  let isKnown = true;
  await eventually(
    'as before',
    async () => {
      const now = await memory.holdings();
      isKnown = now.mediaServer.handles !== undefined && before.holdings.mediaServer.handles !== undefined;
      descriptors = both(seen, now, ({ descriptors: open }) => open, DESCRIPTORS);
      handles = both(seen, now, (holdings) => holdings.handles ?? {}, 0);
      return descriptors.length + handles.length === 0;
    },
    { withinMs: SETTLES_WITHIN_MS, everyMs: 1_000 },
  ).catch(() => undefined);
  const unknown = `of the daemon equal; ${memory.serverUnknown ?? 'the media server’s inspector did not answer'}`;
  const isUnknown = handles.length === 0 && !isKnown;
  const judged = passedIf('handles', handles);
  return {
    residue,
    descriptors,
    handles: isUnknown ? { ...judged, verdict: 'not judged', detail: unknown } : judged,
  };
}

function both(
  { before }: Witnessed,
  now: { daemon: Holdings; mediaServer: Holdings },
  of: (holdings: Holdings) => Readonly<Record<string, number>>,
  allowed: number,
): string[] {
  return (['daemon', 'mediaServer'] as const).flatMap((who) => {
    const [was, is] = [of(before.holdings[who]), of(now[who])];
    const kinds = [...new Set([...Object.keys(was), ...Object.keys(is)])];
    const grown = kinds.map((kind) => ({ kind, by: (is[kind] ?? 0) - (was[kind] ?? 0) }));
    const sum = grown.reduce((total, { by }) => total + by, 0);
    const differs = allowed === 0 ? grown.some(({ by }) => by !== 0) : Math.abs(sum) > allowed;
    if (!differs || Object.keys(is).length === 0) return [];
    const types = grown
      .filter(({ by }) => by !== 0)
      .map(({ kind, by }) => `${by > 0 ? '+' : ''}${by} ${kind}`);
    return [`${who === 'daemon' ? 'the daemon' : 'the media server'}: ${types.join(', ')}`];
  });
}
