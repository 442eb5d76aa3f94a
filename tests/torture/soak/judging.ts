import type { Canary } from '../../helpers/canary';
import type { Judgement } from './result';

/** A machine that stood still for longer made events of its own: what creators are ahead by is not much more. */
const DISTURBED_MS = 200;
/** So did one on which somebody who wanted to run had to wait for such a part of the time. */
const DISTURBED_PART = 0.25;

/** Whether the machine, not the relay, kept somebody waiting then. */
export function isDisturbed(canary: Canary, fromMs: number, untilMs: number): boolean {
  if (canary.worstStallMs(fromMs, untilMs) > DISTURBED_MS) return true;
  return canary.stalledMs(fromMs, untilMs) > DISTURBED_PART * (untilMs - fromMs);
}

/** Failed where there is anything to complain of. @param praise what to say where there is not */
export function passedIf(what: string, complaints: readonly string[], praise = 'as it should be'): Judgement {
  return complaints.length === 0
    ? { what, verdict: 'passed', detail: praise }
    : { what, verdict: 'failed', detail: complaints.join('; ') };
}
