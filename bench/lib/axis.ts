import type { Scale } from './plot';

/** One axis of a picture: where a value lies on it, in pixels, and which values are written beside it. */
export interface Axis {
  readonly least: number;
  readonly most: number;
  readonly ticks: readonly number[];
  at(value: number): number;
}

export interface AxisOptions {
  /** The values that must find room; of none, it is an axis all the same. */
  readonly values: readonly number[];
  /** Pixels of its beginning and its end. */
  readonly range: readonly [number, number];
  readonly scale: Scale;
  /** About so many ticks. */
  readonly ticks: number;
  /** A linear axis begins at zero where this is asked, or where zero is near: a distance must not look like a multiple. */
  readonly fromZero: boolean;
}

/** Values closer to each other than this share of the largest may begin above zero. */
const NARROW = 0.6;

export function makeAxis(asked: AxisOptions): Axis {
  const isLogarithmic = asked.scale === 'logarithmic';
  const shown = asked.values.filter((value) => !isLogarithmic || value > 0);
  const options = { ...asked, values: shown.length > 0 ? shown : [1] };
  return isLogarithmic ? logarithmic(options) : linear(options);
}

/** Shares from 0 to 1, with a tick for each quarter. */
export function shareAxis(range: AxisOptions['range']): Axis {
  const at = (share: number): number => range[0] + share * (range[1] - range[0]);
  return { least: 0, most: 1, ticks: [0, 0.25, 0.5, 0.75, 1], at };
}

function linear({ values, range, ticks, fromZero }: AxisOptions): Axis {
  const shown = fromZero ? [0, ...values] : values;
  const [smallest, largest] = [Math.min(...shown), Math.max(...shown)];
  const begin =
    fromZero || largest - smallest > NARROW * Math.abs(largest) ? Math.min(0, smallest) : smallest;
  const step = niceStep((largest - begin || Math.abs(largest) || 1) / ticks);
  const least = Math.floor(begin / step + 1e-9) * step;
  const most = Math.max(least + step, Math.ceil(largest / step - 1e-9) * step);
  const count = Math.round((most - least) / step);
  return {
    least,
    most,
    ticks: Array.from({ length: count + 1 }, (_, index) => clean(least + index * step)),
    at: (value) => range[0] + ((value - least) / (most - least)) * (range[1] - range[0]),
  };
}

function logarithmic({ values, range, ticks }: AxisOptions): Axis {
  const [smallest, largest] = [Math.min(...values), Math.max(...values)];
  const marks = logarithmicTicks(smallest, largest, ticks);
  const [least, most] = [marks[0] as number, marks.at(-1) as number];
  const part = (value: number): number => Math.log(value / least) / Math.log(most / least);
  return { least, most, ticks: marks, at: (value) => range[0] + part(value) * (range[1] - range[0]) };
}

/** 1, 2 and 5 of each decade, or powers of ten where that would be too many; the values lie between the first and the last. */
function logarithmicTicks(smallest: number, largest: number, about: number): number[] {
  for (const digits of [[1, 2, 5], [1]]) {
    const from = Math.floor(Math.log10(smallest));
    const all = Array.from({ length: Math.ceil(Math.log10(largest)) - from + 2 }, (_, index) =>
      digits.map((digit) => clean(digit * 10 ** (from + index))),
    ).flat();
    const first = all.findLastIndex((tick) => tick <= smallest);
    const last = all.findIndex((tick) => tick >= largest);
    const marks = all.slice(first, Math.max(last, first + 1) + 1);
    if (marks.length <= 2 * about || digits.length === 1) return marks;
  }
  return [];
}

/** The step of 1, 2 or 5 times a power of ten that is at least so large. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const digit = [1, 2, 5, 10].find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return digit * power;
}

/** Without what binary fractions leave behind: 0.3, not 0.30000000000000004. */
function clean(value: number): number {
  return Number(value.toPrecision(12));
}
