/** One block of `-progress`. */
export interface Progress {
  /** How much audio has left FFmpeg, in microseconds. 0 in the first block. */
  readonly outTimeUs: number;
  /** Bytes written to the output, 0 where FFmpeg does not know. */
  readonly totalSize: number;
  /** `end` in the last block. */
  readonly progress: 'continue' | 'end';
}

/** Blocks are some 200 bytes, lines under 40. What grows beyond this is not `-progress`. */
const LONGEST_LINE = 4_096;

/**
 * Reads `key=value` lines as FFmpeg writes them to its progress descriptor. Chunks may end anywhere; unknown keys
 * and values that are not numbers (`N/A`) are passed over. `frame=` is not looked at: audio has none.
 */
export class ProgressParser {
  readonly #onProgress: (progress: Progress) => void;
  #rest = '';
  #outTimeUs = 0;
  #totalSize = 0;

  constructor(onProgress: (progress: Progress) => void) {
    this.#onProgress = onProgress;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    const at = line.indexOf('=');
    const key = line.slice(0, at);
    const value = line.slice(at + 1).trim();
    // FFmpeg's out_time_ms is in microseconds as well, and the only one that early 4.x builds print.
    if (key === 'out_time_us' || key === 'out_time_ms') this.#outTimeUs = numberOr(this.#outTimeUs, value);
    else if (key === 'total_size') this.#totalSize = numberOr(this.#totalSize, value);
    else if (key === 'progress')
      this.#onProgress({
        outTimeUs: this.#outTimeUs,
        totalSize: this.#totalSize,
        progress: value === 'end' ? 'end' : 'continue',
      });
  }
}

function numberOr(before: number, text: string): number {
  // Before the first frame FFmpeg 6 and newer say N/A, some builds a huge negative number.
  return /^\d+$/.test(text) ? Number(text) : before;
}
