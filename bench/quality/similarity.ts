/**
 * NSIM, the neurogram similarity index: how alike two spectrograms look, 1 being the same picture. Means and
 * structures are compared in patches of 3 by 3 points. Hines and Harte, "Speech intelligibility prediction using a
 * neurogram similarity index measure", Speech Communication 54 (2012): the heart of ViSQOL, whose scores follow those of
 * listening tests; here over critical bands and without ViSQOL's mapping to a score from 1 to 5. It does not ask for the
 * same waveform, but holes, warbling and smeared attacks change the picture.
 * @param original levels in dB, by window and band
 * @param coded the same size
 */
export function similarity(original: readonly Float64Array[], coded: readonly Float64Array[]): number {
  let [least, most] = [Infinity, -Infinity];
  for (const row of original)
    for (const level of row) {
      least = Math.min(least, level);
      most = Math.max(most, level);
    }
  const range = most - least;
  if (!(range > 0)) return NaN;
  const [c1, c3] = [(0.01 * range) ** 2, (0.03 * range) ** 2 / 2];

  let [sum, count] = [0, 0];
  for (let row = 1; row + 1 < original.length; row += 1)
    for (let column = 1; column + 1 < (original[row] as Float64Array).length; column += 1) {
      const a = patch(original, row, column, least);
      const b = patch(coded, row, column, least);
      const [meanA, meanB] = [weighted(a), weighted(b)];
      const deviation = (x: number[], meanX: number, y: number[], meanY: number): number =>
        weighted(x.map((value, at) => (value - meanX) * ((y[at] as number) - meanY)));
      const [varianceA, varianceB] = [deviation(a, meanA, a, meanA), deviation(b, meanB, b, meanB)];
      const level = (2 * meanA * meanB + c1) / (meanA * meanA + meanB * meanB + c1);
      const structure =
        (deviation(a, meanA, b, meanB) + c3) /
        (Math.sqrt(Math.max(0, varianceA) * Math.max(0, varianceB)) + c3);
      sum += level * structure;
      count += 1;
    }
  return sum / count;
}

/** A bell of 3 by 3, half a point wide: the paper's. */
const WEIGHTS = [0.0113, 0.0838, 0.0113, 0.0838, 0.6193, 0.0838, 0.0113, 0.0838, 0.0113] as const;
const WEIGHTS_SUM = WEIGHTS.reduce((sum: number, weight) => sum + weight, 0);

function weighted(values: readonly number[]): number {
  return WEIGHTS.reduce((sum: number, weight, at) => sum + weight * (values[at] as number), 0) / WEIGHTS_SUM;
}

function patch(rows: readonly Float64Array[], row: number, column: number, zero: number): number[] {
  return [-1, 0, 1].flatMap((down) =>
    [-1, 0, 1].map((right) => Math.max(0, (rows[row + down]?.[column + right] as number) - zero)),
  );
}
