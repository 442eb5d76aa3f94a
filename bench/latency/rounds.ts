import type { Canary } from '../../tests/helpers/canary';
import { burstSignal, latencies } from '../../tests/helpers/latency';
import { PACING, type Recording, type Way, warmUpTogether } from '../../tests/helpers/latency-ways';
import { worstLatenessMs } from '../../tests/helpers/pacing';
import { quantile } from '../../tests/helpers/quantile';
import type { BenchRun } from '../lib/bench';

/** What plays at the same time: ways by their full names. */
export type Party = ReadonlyMap<string, Way>;
type Recordings = ReadonlyMap<string, readonly Recording[]>;

/** Two of each at the same time: p99 of one alone would be its single worst burst. */
const AT_ONCE = 2;
/** Rounds are played anew at most so many times as often as asked for. */
const MOST_TRIES = 2;
/** The first second begins anew; starting has a bench of its own. */
const FIRST_BURSTS = 2;

/** Plays parties in turns, and keeps the latencies of all rounds in which the machine was not disturbed. */
export class LatencyRounds {
  readonly #bench: BenchRun;
  readonly #canary: Canary;
  readonly #pool = new Map<string, number[]>();

  constructor(bench: BenchRun, canary: Canary) {
    this.#bench = bench;
    this.#canary = canary;
  }

  /** All latencies of a way, in milliseconds. */
  of(name: string): readonly number[] {
    return this.#pool.get(name) ?? [];
  }

  /**
   * Plays until each party has had as many undisturbed rounds as asked for, or twice as many in all.
   * @param disturbedMs a creator this late, or a machine that stood still for so long, makes an underrun: from then on the
   *   buffer holds that much more, and all that follows is later. Such a round is left out.
   */
  async play(parties: readonly Party[], disturbedMs: number): Promise<void> {
    const { rounds, seconds } = this.#bench;
    const pcm = burstSignal(seconds);
    const judged = new Map(parties.map((party) => [party, 0]));
    let leftOut = 0;
    for (let round = 0; round < rounds * MOST_TRIES; round += 1) {
      for (const party of parties) {
        const before = judged.get(party) as number;
        if (before === rounds) continue;
        const recordings = await playRound(party, pcm, round);
        const stallMs = await this.#worstStallMs(recordings);
        const isQuiet = stallMs < disturbedMs;
        const about = `round ${round + 1}: ${[...party.keys()][0]} and others: stalled ${stallMs.toFixed(1)} ms at worst`;
        this.#bench.progress(`${about}: ${isQuiet ? 'judged' : 'left out'}`);
        if (isQuiet) {
          judged.set(party, before + 1);
          await this.#keep(recordings);
        } else leftOut += 1;
      }
    }
    if (leftOut > 0)
      this.#bench.note(
        `${leftOut} rounds were left out: the machine stood still for ${disturbedMs} ms or more`,
      );
  }

  async #worstStallMs(recordings: Recordings): Promise<number> {
    await this.#canary.look();
    const sends = [...recordings.values()].flat().map((recording) => recording.sends);
    const firstMs = Math.min(...sends.map((each) => each[0]?.atMs ?? Infinity));
    const lastMs = Math.max(...sends.map((each) => each.at(-1)?.atMs ?? 0));
    const creators = sends.map((each) => worstLatenessMs(each, PACING));
    return Math.max(this.#canary.worstStallMs(firstMs, lastMs), ...creators);
  }

  async #keep(recordings: Recordings): Promise<void> {
    for (const [name, each] of recordings) {
      const all: number[] = [];
      for (const { heard, sends } of each)
        all.push(...(await latencies(heard, sends)).eachMs.slice(FIRST_BURSTS));
      this.#pool.set(name, [...this.of(name), ...all]);
      this.#bench.measure(`${name}, p50`, 'ms', quantile(all, 0.5));
      this.#bench.measure(`${name}, p99`, 'ms', quantile(all, 0.99));
    }
  }
}

async function playRound(party: Party, pcm: Buffer, round: number): Promise<Recordings> {
  const names = [...party.keys()];
  const parts = names.flatMap((name) => Array.from({ length: AT_ONCE }, () => name));
  const warmUp = warmUpTogether(parts.length);
  const played = await Promise.all(
    parts.map((name, index) => {
      // Nobody is always first, nor always after the same other, and two of a kind are half a chunk apart.
      const copy = index % AT_ONCE;
      const place = Math.floor(index / AT_ONCE);
      const slot = ((place + round) % names.length) + copy * names.length;
      const offsetMs = (slot * PACING.chunkMs) / parts.length;
      return (party.get(name) as Way)(`round-${round}-${index}`, pcm, warmUp(offsetMs));
    }),
  );
  return new Map(names.map((name) => [name, played.filter((_, index) => parts[index] === name)]));
}
