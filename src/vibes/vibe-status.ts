import type { Vibe } from './vibe';

/** The entry of a vibe in the list of active streams. */
export function summarize(vibe: Vibe): Record<string, unknown> {
  const { encoder } = vibe.pipeline;
  return {
    vibeId: vibe.id,
    creator: vibe.creator ?? null,
    participantCount: vibe.participants.count,
    listeners: vibe.listeners,
    startedAt: vibe.startedAtMs,
    isStreaming: vibe.isStreaming,
    state: vibe.state,
    network: vibe.network ?? null,
    title: vibe.title ?? null,
    bufferedMs: vibe.bufferedMs,
    signal: vibe.signal,
    encoder: encoder ? { state: encoder.state, restarts: encoder.restarts } : null,
  };
}

/** Everything about one vibe: a superset of its summary. */
export function describe(vibe: Vibe): Record<string, unknown> {
  const { encoder, driftPpm, level, lostSamples } = vibe.pipeline;
  return {
    ...summarize(vibe),
    reason: vibe.reason ?? null,
    claimed: vibe.ownership.isClaimed,
    format: vibe.format ?? null,
    level: level ?? null,
    sequence: vibe.lastSequence,
    driftPpm,
    lostSamples,
    encoder: encoder
      ? {
          state: encoder.state,
          restarts: encoder.restarts,
          pid: encoder.pid ?? null,
          lastExit: encoder.lastExit
            ? {
                reason: encoder.lastExit.reason,
                exitCode: encoder.lastExit.exitCode,
                signal: encoder.lastExit.signal,
              }
            : null,
        }
      : null,
  };
}
