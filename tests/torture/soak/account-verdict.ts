import {
  type Counted,
  differenceOf,
  toleranceOf,
  type Unaccounted,
  unaccounted,
  type VibeAccount,
} from './account';
import { isDisturbed, passedIf } from './judging';
import type { Judgement, SoakResult } from './result';
import type { Witnessed } from './soak';

/**
 * The relay's account, held against what everybody heard.
 *
 * A listener who came back late because the machine stood still has not heard what was published meanwhile, and nobody can
 * say how much that was.
 */
export function accountOf(seen: Witnessed): { told: SoakResult['account']; judged: Judgement } {
  const { vibes, stage, before, metrics } = seen;
  const log = stage.log();
  const accounts = vibes.flatMap(
    ({ vibeId, heard, sentSamples, lostSamples, silenceSamples }): VibeAccount[] => {
      if (!heard) return [];
      const runs = log.filter((line) => line.vibeId === vibeId && line.msg === 'encoder starting').length;
      const restarts = Math.max(0, runs - 1);
      return [{ vibeId, heard, restarts, sent: sentSamples, lost: lostSamples, silence: silenceSamples }];
    },
  );
  const grown = (name: keyof Counted): number =>
    metrics.sumOrZero(`vibesflow_samples_${name}_total`) -
    before.standing.metrics.sumOrZero(`vibesflow_samples_${name}_total`);
  const counted: Counted = {
    accepted: grown('accepted'),
    played: grown('played'),
    discarded: grown('discarded'),
    silence: grown('silence'),
    lost: grown('lost'),
  };
  const { accepted, silence, lost } = counted;
  const within = accounts.reduce((sum, vibe) => sum + toleranceOf(vibe), 0);
  return {
    told: { accepted, silence, lost, difference: differenceOf(accounts, counted), within },
    judged: accountJudged(seen, unaccounted(accounts, counted)),
  };
}

function accountJudged({ vibes, canary }: Witnessed, complaints: readonly Unaccounted[]): Judgement {
  const late = new Set(
    vibes
      .filter(({ ear }) => ear.aways.some(({ fromMs, untilMs }) => isDisturbed(canary, fromMs, untilMs)))
      .map(({ vibeId }) => vibeId),
  );
  const judged = passedIf(
    'accounts',
    complaints.map(({ words }) => words),
  );
  const areMachines = complaints.every(({ vibeId }) => vibeId !== undefined && late.has(vibeId));
  if (judged.verdict === 'passed' || !areMachines) return judged;
  return { ...judged, verdict: 'not judged', detail: `listeners came back late: ${judged.detail}` };
}
