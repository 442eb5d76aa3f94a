import type { Signal } from '../audio/level';
import type { VibeState } from './vibe-state';

/** What happens in a vibe, as its subscribers see it. `atMs` is epoch milliseconds. */
export type VibeEvent = { readonly atMs: number } & (
  | { type: 'state'; state: VibeState; from: VibeState; cause: string; isStreaming: boolean }
  | { type: 'level'; peakDbfs: number; rmsDbfs: number; signal: Signal; bufferedMs: number }
  | { type: 'counts'; participantCount: number; listeners: number }
  | { type: 'silence'; active: boolean; signal: Signal; seconds: number }
  | { type: 'encoder'; state: string; from: string; cause: string; restarts: number }
);

/** Leaves `atMs` to the hub. */
export type VibeEventBody = VibeEvent extends infer E
  ? E extends VibeEvent
    ? Omit<E, 'atMs'>
    : never
  : never;

/** Hands a vibe's events to whoever subscribed. */
export class VibeEventHub {
  readonly #subscribers = new Set<(event: VibeEvent) => void>();
  readonly #epochMs: () => number;

  constructor(epochMs: () => number) {
    this.#epochMs = epochMs;
  }

  /** @returns how to unsubscribe */
  subscribe(listener: (event: VibeEvent) => void): () => void {
    this.#subscribers.add(listener);
    return () => void this.#subscribers.delete(listener);
  }

  /** Builds the event only where somebody listens: levels come ten times a second a vibe. */
  emit(build: () => VibeEventBody): void {
    if (this.#subscribers.size === 0) return;
    const event = { ...build(), atMs: this.#epochMs() } as VibeEvent;
    for (const subscriber of this.#subscribers) subscriber(event);
  }
}
