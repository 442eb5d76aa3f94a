import type { StateTable } from '../base/state';

/** The states of a vibe: the same words in API, events, metrics and logs. */
export type VibeState = 'starting' | 'buffering' | 'live' | 'holding' | 'ending' | 'ended' | 'failed';

/**
 * `starting → buffering → live ⇄ holding → ending → ended`; `failed` from any that is not over. A vibe that goes on after
 * its daemon's death starts with `holding`: its listeners were there before.
 */
export const VIBE_STATES: StateTable<VibeState> = {
  starting: ['buffering', 'holding', 'ending', 'failed'],
  buffering: ['live', 'ending', 'failed'],
  live: ['holding', 'ending', 'failed'],
  holding: ['live', 'ending', 'failed'],
  ending: ['ended', 'failed'],
  ended: [],
  failed: [],
};

/** Whether something is on air: the creator's samples, or silence that stands in for them. */
export function isStreaming(state: VibeState): boolean {
  return state === 'live' || state === 'holding' || state === 'ending';
}

/** Whether nothing will ever follow. */
export function isOver(state: VibeState): boolean {
  return state === 'ended' || state === 'failed';
}
