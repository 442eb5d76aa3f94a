import type { SoakResult } from '../soak/result';
import { markdownTable } from './markdown-table';

/** What the last soak came to; nothing where none is kept. */
export function soakSection(soak: SoakResult | undefined): string[] {
  if (!soak) return [];
  const { load, minutes, seed, account, events, faults, judgements } = soak;
  const done = new Map<string, number>();
  for (const { name } of faults) done.set(name, (done.get(name) ?? 0) + 1);
  return [
    '## The soak',
    `Load for ${minutes} minutes, with a random fault every now and then: ${load.steadyVibes} vibes that last, ` +
      `${load.shortVibes} that come and go, ${load.listeners} listeners, ${load.chunks} chunks. All ` +
      `${load.hoursOfSound} hours of sound were compared with what was sent; each event that somebody heard has to lie in ` +
      'the time of a fault that explains it. Then everybody leaves, and memory, descriptors and processes have to be what ' +
      'they were.',
    `The last one, on ${soak.at}, seed ${seed}, has **${soak.verdict}**: ${faults.length} faults ` +
      `(${[...done].map(([name, times]) => `${name} ${times}×`).join(', ')}), ${events.explained} events explained and ` +
      `${events.unexplained.length} not; ${account.accepted} samples accepted, ${account.lost} lost, the account off by ` +
      `${account.difference}.`,
    markdownTable(
      ['what has to hold', 'verdict', 'seen'],
      judgements.map(({ what, verdict, detail }) => [
        what,
        verdict === 'failed' ? '**failed**' : verdict,
        detail,
      ]),
    ),
  ];
}
