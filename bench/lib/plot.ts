/** A picture of what was measured: lines through points. */
export interface Plot {
  /** Fit for a file name. */
  readonly name: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly PlotSeries[];
}

export interface PlotSeries {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
  /** A floor is drawn dashed. */
  readonly isFloor?: boolean;
}
