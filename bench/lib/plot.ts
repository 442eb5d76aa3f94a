/** A picture of what was measured: lines through points. */
export interface Plot {
  /** Fit for a file name. */
  readonly name: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly PlotSeries[];
  /**
   * `distribution`: points `[value, share]`, drawn as steps up to 100 %. `load`: cost against load, a dot for each point.
   * Where left out: a distribution if the y axis is a `share of …` and no point is above 1.
   */
  readonly kind?: 'distribution' | 'load';
  /** `linear` unless told. A logarithmic axis leaves out what is not above 0. */
  readonly xScale?: Scale;
  readonly yScale?: Scale;
  /** Targets, drawn as dotted lines across the picture. */
  readonly bounds?: readonly PlotBound[];
}

export type Scale = 'linear' | 'logarithmic';

export interface PlotSeries {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
  /** A floor is drawn dashed. */
  readonly isFloor?: boolean;
}

export interface PlotBound {
  readonly axis: 'x' | 'y';
  readonly value: number;
  /** Such as `target`. */
  readonly label: string;
}

export function isDistribution({ kind, yLabel, series }: Plot): boolean {
  if (kind) return kind === 'distribution';
  return yLabel.startsWith('share of') && series.every(({ points }) => points.every(([, y]) => y <= 1));
}
