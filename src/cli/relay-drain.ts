import { pause } from './pause';

/** A relay that is told to stop at the same time says so within this time. */
const TOLD_TOGETHER_MS = 500;
const LOOK_MS = 100;
const ANSWER_MS = 1_000;
/** Tails play out within 10 s; the relay's doors close after that. */
export const DRAINED_WITHIN_MS = 15_000;

export interface RelayDrainOptions {
  /** Where the relay answers. */
  readonly url: string;
  /** Told once, where there is something to wait for. */
  readonly onWait?: () => void;
  readonly toldTogetherMs?: number;
  readonly withinMs?: number;
}

/**
 * Waits while the relay plays out its tails: PM2 tells both programs to stop in the same moment when it is told to end
 * itself, and without SRS nobody would hear them. Resolves at once where there is no relay, soon where it goes on
 * running, and after `withinMs` at the latest. Never rejects.
 */
export async function relayDrained(options: RelayDrainOptions): Promise<void> {
  const { url, onWait, toldTogetherMs = TOLD_TOGETHER_MS, withinMs = DRAINED_WITHIN_MS } = options;
  const startMs = performance.now();
  let isTold = false;
  for (;;) {
    const state = await relayState(url);
    const elapsedMs = performance.now() - startMs;
    if (state === 'away' || elapsedMs >= withinMs) return;
    if (state === 'running' && (isTold || elapsedMs >= toldTogetherMs)) return;
    if (state === 'draining' && !isTold) onWait?.();
    isTold ||= state === 'draining';
    await pause(LOOK_MS);
  }
}

/** A relay that drains refuses new vibes, and `GET /ready` names that. */
async function relayState(url: string): Promise<'away' | 'running' | 'draining'> {
  try {
    const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const { failing } = (await answer.json()) as { failing?: unknown };
    return Array.isArray(failing) && failing.includes('accepting') ? 'draining' : 'running';
  } catch {
    return 'away';
  }
}
