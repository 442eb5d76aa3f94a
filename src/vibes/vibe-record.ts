import type { PlayPosition } from '../audio/jitter-buffer';
import type { PcmFormat } from '../audio/pcm';
import type { ProcessIdentity } from '../base/process-identity';
import type { KnownEncoder } from '../encoder/stale-encoders';
import type { Vibe } from './vibe';

/** Told what must outlive the daemon. */
export interface VibeRecorder {
  /** Something about this vibe is new. What, is looked up soon, not now. */
  changed(vibe: Vibe): void;
  /** A lease was taken or renewed, or (`undefined`) given back. */
  leased(vibeId: string, participantId: string, untilEpochMs: number | undefined): void;
}

/** Who and what a vibe is. No secret: of an owner key there is a hash. */
export interface VibeFacts {
  readonly vibeId: string;
  readonly creator?: string | undefined;
  /** Whose token started it. */
  readonly subject?: string | undefined;
  readonly isPrivate?: boolean | undefined;
  readonly network?: string | undefined;
  readonly title?: string | undefined;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  /** See `Ownership.keyHash`. */
  readonly keyHash?: string | undefined;
  /** As the creator sends it; unknown before the first audio. */
  readonly format?: PcmFormat | undefined;
}

/** What is known of a vibe whose daemon died. */
export interface PastVibe extends VibeFacts {
  /** How far it was played; nothing where no audio had come. */
  readonly position?: PlayPosition;
  /** Accepted audio that was held, in milliseconds; it is lost, unless its creator sends it again. */
  readonly heldMs: number;
  /** Participants, and when their leases run out, epoch milliseconds. */
  readonly leases: ReadonlyMap<string, number>;
}

/** The records of the journal. Each stands for itself; a later one has the last word. */
export type VibeRecord =
  | RelayRecord
  | (VibeFacts & {
      readonly type: 'vibe';
      /** It takes no more audio, and will not come back. */
      readonly ending: boolean;
      readonly encoder?: Pick<KnownEncoder, 'pid' | 'startTicks'> | undefined;
    })
  | { readonly type: 'over'; readonly vibeId: string }
  | {
      readonly type: 'leases';
      readonly vibeId: string;
      /** Taken or renewed. */
      readonly leases: readonly (readonly [participantId: string, untilEpochMs: number])[];
    }
  | { readonly type: 'left'; readonly vibeId: string; readonly participantId: string }
  | {
      readonly type: 'played';
      /** Epoch milliseconds. */
      readonly atMs: number;
      /** See `PlayPosition` and `PastVibe.heldMs`. Tuples: this is what is written most. */
      readonly vibes: readonly Played[];
    };

export type Played = readonly [vibeId: string, sequence: number, numbered: boolean, heldMs: number];

/** The daemon that writes. */
export interface RelayRecord extends ProcessIdentity {
  readonly type: 'relay';
  /** Of the records; others are not understood. */
  readonly version: number;
  readonly startedAtMs: number;
  /** Daemons before this one that died soon after their start, one after the other. */
  readonly quickDeaths: number;
}

/** What a journal's records come to. */
export interface Recollection {
  /** Who wrote them; nothing where it is not a journal of this version. */
  readonly writer?: RelayRecord;
  /** When it was last known to live, epoch milliseconds. */
  readonly lastMs: number;
  /** The vibes that were on air, or about to be. */
  readonly vibes: readonly PastVibe[];
  /** The FFmpegs that ran. */
  readonly encoders: readonly KnownEncoder[];
}

export const RECORD_VERSION = 1;

type Draft = { -readonly [K in keyof PastVibe]: PastVibe[K] } & {
  readonly leases: Map<string, number>;
  ending: boolean;
  encoder?: KnownEncoder | undefined;
};

/**
 * Puts the records of a journal together. What belongs to no vibe that is known is left out; and nothing is read of what
 * does not begin with who wrote it, in this version: what its records look like is not known then.
 */
export function recollect(records: readonly VibeRecord[]): Recollection {
  const [writer, ...rest] = records;
  if (writer?.type !== 'relay' || writer.version !== RECORD_VERSION)
    return { lastMs: 0, vibes: [], encoders: [] };
  const drafts = new Map<string, Draft>();
  let lastMs = writer.startedAtMs;
  for (const record of rest) {
    if (record.type === 'relay') continue;
    if (record.type === 'played') {
      lastMs = record.atMs;
      for (const [vibeId, sequence, numbered, heldMs] of record.vibes)
        Object.assign(drafts.get(vibeId) ?? {}, { position: { sequence, numbered }, heldMs });
      continue;
    }
    note(drafts, record);
  }
  const all = [...drafts.values()];
  return {
    writer,
    lastMs,
    vibes: all.filter(({ ending }) => !ending),
    encoders: all.flatMap(({ encoder }) => encoder ?? []),
  };
}

function note(drafts: Map<string, Draft>, record: Exclude<VibeRecord, { type: 'relay' | 'played' }>): void {
  const { vibeId } = record;
  const draft = drafts.get(vibeId);
  switch (record.type) {
    case 'vibe': {
      const { type: _type, encoder, ...facts } = record;
      const before = draft ?? { heldMs: 0, leases: new Map<string, number>() };
      drafts.set(vibeId, { ...before, ...facts, encoder: encoder && { vibeId, ...encoder } });
      return;
    }
    case 'over':
      drafts.delete(vibeId);
      return;
    case 'leases':
      for (const [participantId, untilMs] of record.leases) draft?.leases.set(participantId, untilMs);
      return;
    case 'left':
      draft?.leases.delete(record.participantId);
  }
}
