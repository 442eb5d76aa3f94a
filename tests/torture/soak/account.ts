/** One vibe at its end: what its creator sent, what its listener heard, and what the relay says of it. Samples. */
export interface VibeAccount {
  readonly vibeId: string;
  readonly sent: number;
  readonly heard: {
    /** Lost less inserted, between the first and the last sample heard. */
    readonly net: number;
    readonly end: number;
    /** What was heard first at `n` was sent at `n + lead`. */
    readonly lead: number;
    readonly trailing: number;
  };
  /** FFmpegs after the first. */
  readonly restarts: number;
  /** What the relay says that it has lost of it, and put in. */
  readonly lost: number;
  readonly silence: number;
}

/** What the relay counted, all vibes together. */
export interface Counted {
  readonly accepted: number;
  readonly played: number;
  readonly discarded: number;
  readonly silence: number;
  readonly lost: number;
}

/** An encoder's first frame carries nothing. */
const PRIMING = 1_024;
const FRAME = 1_024;
/** Rounding; and what an edge that is found to some hundred samples may be off by. */
const ROUNDING = 8;
const EDGE = 512;
/** What comes behind the last sample anyway: the rest of its frame, and what an encoder still held. */
const PADDING = 2 * FRAME;

/** What is missing of a vibe, less what was put in and what its encoders began with, as its listener heard it. */
export function heardOf({ sent, heard, restarts }: VibeAccount): number {
  const tail = sent - heard.end;
  const behind = heard.trailing > PADDING ? heard.trailing : 0;
  const beginning = heard.end === 0 ? 0 : heard.lead + PRIMING;
  return beginning + heard.net + (tail > EDGE ? tail : 0) - behind + PRIMING * restarts;
}

/** How far the account of a vibe may be from what was heard: an AAC frame a restart, and where ends are not exact. */
export function toleranceOf({ sent, heard, restarts }: VibeAccount): number {
  const isCut = sent - heard.end > EDGE;
  const isTrailing = heard.trailing > PADDING;
  return ROUNDING + FRAME * restarts + (isCut ? EDGE : 0) + (isTrailing ? FRAME + EDGE : 0);
}

/** What does not fit, in words, and of which vibe, where it is one's alone. */
export interface Unaccounted {
  readonly vibeId?: string;
  readonly words: string;
}

/** Holds what the relay counted against what everybody heard. @returns what does not fit */
export function unaccounted(vibes: readonly VibeAccount[], counted: Counted): Unaccounted[] {
  const complaints: Unaccounted[] = [];
  const sent = vibes.reduce((sum, vibe) => sum + vibe.sent, 0);
  if (counted.accepted !== sent)
    complaints.push({ words: `${counted.accepted} samples accepted of ${sent} sent` });
  const kept = counted.accepted - counted.played - counted.discarded;
  if (kept !== 0) complaints.push({ words: `${kept} samples accepted and neither played nor discarded` });

  for (const vibe of vibes) {
    const missing = heardOf(vibe);
    const [difference, within] = [vibe.lost - vibe.silence - missing, toleranceOf(vibe)];
    if (Math.abs(difference) <= within) continue;
    const { vibeId, lost, silence, heard, restarts } = vibe;
    complaints.push({
      vibeId,
      words:
        `${vibeId}: ${lost} lost and ${silence} of silence by the relay’s account, ${missing} missing as heard; ` +
        `off by ${difference}, at most ${within} (${JSON.stringify(heard)}, ${restarts} restarts)`,
    });
  }
  for (const which of ['lost', 'silence'] as const) {
    const sum = vibes.reduce((total, vibe) => total + vibe[which], 0);
    if (sum !== counted[which])
      complaints.push({ words: `${counted[which]} samples of ${which} in all, ${sum} by vibe` });
  }
  return complaints;
}

/** What the relay counted as lost less inserted and discarded, less what everybody heard: 0 where it is right. */
export function differenceOf(vibes: readonly VibeAccount[], counted: Counted): number {
  const missing = vibes.reduce((sum, vibe) => sum + heardOf(vibe), 0);
  return counted.lost + counted.discarded - counted.silence - missing;
}
