import type { EncoderExit } from '../encoder/encoder';
import type { EncoderFacts } from './pipeline';
import type { Vibe } from './vibe';

/** The entry of a vibe in the list of active streams. */
export function summarize(vibe: Vibe): Record<string, unknown> {
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
    visibility: vibe.ownership.isPrivate ? 'private' : 'public',
    bufferedMs: vibe.bufferedMs,
    signal: vibe.signal,
    encoder: encoderState(vibe.pipeline.encoder),
  };
}

/** Everything about one vibe: a superset of its summary. */
export function describe(vibe: Vibe): Record<string, unknown> {
  const { encoder, driftPpm, level, lostSamples, silenceSamples } = vibe.pipeline;
  const summary = summarize(vibe);
  return {
    ...summary,
    encoder: summary['encoder'] ? { ...encoderState(encoder), pid: encoder?.pid ?? null } : null,
    lastEncoderExit: encoder?.lastExit ? exitFacts(encoder.lastExit) : null,
    reason: vibe.reason ?? null,
    claimed: vibe.ownership.isClaimed,
    format: vibe.format ?? null,
    level: level ?? null,
    sequence: vibe.lastSequence,
    driftPpm,
    lostSamples,
    silenceSamples,
  };
}

/** Nothing where no process is wanted. */
function encoderState(encoder: EncoderFacts | undefined): { state: string; restarts: number } | null {
  if (!encoder || encoder.state === 'idle') return null;
  return { state: encoder.state, restarts: encoder.restarts };
}

function exitFacts({ reason, exitCode, signal }: EncoderExit): Record<string, unknown> {
  return { reason, exitCode, signal };
}
