import { type Axis, makeAxis, shareAxis } from './axis';
import { isDistribution, type Plot, type PlotSeries } from './plot';
import { figure } from './report';

/** Pixels of the picture, and of what stands around the lines. */
const WIDTH = 800;
const HEIGHT = 430;
const LEFT = 72;
const RIGHT = 28;
const BOTTOM = 58;
const TITLE_PX = 44;
const LEGEND_ROW_PX = 22;
const LEGEND_SAMPLE_PX = 30;
/** An average letter of a system's sans serif at 13 px; wide enough for most. */
const LETTER_PX = 7;
/**
 * A distribution with a few values far out is shown up to a little above where 99 in 100 lie, where it would otherwise be
 * squeezed to less than half of the picture.
 */
const TAIL_SHARE = 0.99;

/**
 * Colours that people with any kind of colour vision can tell apart (after Okabe and Ito), in a darker cut for light pages
 * and a lighter one for dark ones.
 */
const COLOURS = [
  { light: '#0063a6', dark: '#56b4e9' },
  { light: '#c04e00', dark: '#ff9447' },
  { light: '#00795a', dark: '#2fd0a0' },
  { light: '#a2487f', dark: '#e899c7' },
  { light: '#8a6a00', dark: '#f0d34a' },
  { light: '#5b4bb7', dark: '#b0a5ff' },
] as const;
/** Floors are grey, told apart by their dashes. */
const DASHES = ['7 4', '2 3', '10 3 2 3'] as const;

/** A picture as an SVG of its own, light or dark as the reader's system is. */
export function drawPlot(given: Plot): string {
  const plot = drawable(given);
  const legend = layLegend(plot);
  const top = TITLE_PX + legend.rows * LEGEND_ROW_PX + 12;
  const shown = visible(plot);
  const [x, y] = axes(plot, shown, top);
  const colours = plot.series.map((series, index) => ({ series, name: styleOf(plot, index) }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escape(plot.title)}</title>`,
    `<style>${style()}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    `<text class="title" x="20" y="30">${escape(plot.title)}</text>`,
    ...legend.items,
    ...grid(plot, x, y, top),
    ...colours.flatMap(({ series, name }) => line(plot, series, name, x, y, shown.xMost)),
    ...bounds(plot, x, y, top),
    ...shown.beyond.map(
      (text, index) =>
        `<text class="label over" x="${WIDTH - RIGHT - 8}" y="${HEIGHT - BOTTOM - 30 - 18 * index}" text-anchor="end">${escape(text)}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

/** Without the points that no axis of it has a place for. */
function drawable(plot: Plot): Plot {
  const fits = (value: number, scale = 'linear'): boolean =>
    Number.isFinite(value) && (scale === 'linear' || value > 0);
  const series = plot.series.map(({ points, ...rest }) => ({
    ...rest,
    points: points.filter(([x, y]) => fits(x, plot.xScale) && fits(y, plot.yScale)),
  }));
  return { ...plot, series };
}

interface Visible {
  readonly xMost: number;
  /** What the picture leaves out, in words. */
  readonly beyond: readonly string[];
}

function visible(plot: Plot): Visible {
  const most = Math.max(...plot.series.flatMap(({ points }) => points.map(([value]) => value)));
  if (!isDistribution(plot)) return { xMost: most, beyond: [] };
  const filled = plot.series.filter(({ points }) => points.length > 0);
  const tail = Math.max(...filled.map(({ points }) => atShare(points, TAIL_SHARE)));
  const xMost = tail * 1.1;
  if (!(most > 2 * tail)) return { xMost: most, beyond: [] };
  const beyond = filled
    .filter(({ points }) => (points.at(-1)?.[0] ?? 0) > xMost)
    .map(({ name, points }) => `${name}: the longest is ${figure(points.at(-1)?.[0] ?? NaN)}`);
  return { xMost, beyond };
}

/** The value of a distribution below which such a share lies. */
function atShare(points: PlotSeries['points'], share: number): number {
  return (points.find(([, reached]) => reached >= share - 1e-9) ?? points.at(-1) ?? [NaN])[0];
}

function axes(plot: Plot, { xMost }: Visible, top: number): [Axis, Axis] {
  const points = plot.series.flatMap((series) => series.points);
  const on = (axis: 'x' | 'y'): number[] =>
    (plot.bounds ?? []).filter((bound) => bound.axis === axis).map(({ value }) => value);
  const isShare = isDistribution(plot);
  const x = makeAxis({
    values: [...points.map(([value]) => Math.min(value, xMost)), ...on('x')],
    range: [LEFT, WIDTH - RIGHT],
    scale: plot.xScale ?? 'linear',
    ticks: 8,
    fromZero: !isShare,
  });
  const range = [HEIGHT - BOTTOM, top] as const;
  if (isShare) return [x, shareAxis(range)];
  const values = [...points.map(([, value]) => value), ...on('y')];
  return [x, makeAxis({ values, range, scale: plot.yScale ?? 'linear', ticks: 6, fromZero: true })];
}

function grid(plot: Plot, x: Axis, y: Axis, top: number): string[] {
  const isShare = isDistribution(plot);
  const base = HEIGHT - BOTTOM;
  const middle = (top + base) / 2;
  return [
    ...x.ticks.flatMap((tick) => [
      `<line class="grid" x1="${px(x.at(tick))}" y1="${px(top)}" x2="${px(x.at(tick))}" y2="${base}"/>`,
      `<text class="label" x="${px(x.at(tick))}" y="${base + 20}" text-anchor="middle">${tickText(tick)}</text>`,
    ]),
    ...y.ticks.flatMap((tick) => [
      `<line class="grid" x1="${LEFT}" y1="${px(y.at(tick))}" x2="${WIDTH - RIGHT}" y2="${px(y.at(tick))}"/>`,
      `<text class="label" x="${LEFT - 8}" y="${px(y.at(tick) + 4)}" text-anchor="end">${isShare ? `${Math.round(tick * 100)} %` : tickText(tick)}</text>`,
    ]),
    `<line class="axis" x1="${LEFT}" y1="${base}" x2="${WIDTH - RIGHT}" y2="${base}"/>`,
    `<text class="label" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escape(plot.xLabel)}</text>`,
    `<text class="label" transform="translate(18 ${px(middle)}) rotate(-90)" text-anchor="middle">${escape(plot.yLabel)}</text>`,
  ];
}

function bounds({ bounds = [] }: Plot, x: Axis, y: Axis, top: number): string[] {
  return bounds.flatMap(({ axis, value, label }) => {
    if (axis === 'y') {
      const at = px(y.at(value));
      return [
        `<line class="bound" x1="${LEFT}" y1="${at}" x2="${WIDTH - RIGHT}" y2="${at}"/>`,
        `<text class="label over" x="${LEFT + 6}" y="${px(y.at(value) - 5)}">${escape(label)}</text>`,
      ];
    }
    const at = px(x.at(value));
    const isRight = x.at(value) > (LEFT + WIDTH) / 2;
    return [
      `<line class="bound" x1="${at}" y1="${px(top)}" x2="${at}" y2="${HEIGHT - BOTTOM}"/>`,
      `<text class="label over" x="${px(x.at(value) + (isRight ? -6 : 6))}" y="${HEIGHT - BOTTOM - 8}"${isRight ? ' text-anchor="end"' : ''}>${escape(label)}</text>`,
    ];
  });
}

function line(plot: Plot, series: PlotSeries, name: string, x: Axis, y: Axis, xMost: number): string[] {
  const { points } = series;
  const [first] = points;
  if (!first) return [];
  if (isDistribution(plot)) {
    const shown = points.filter(([value]) => value <= xMost);
    const steps = shown.map(([value, share]) => `H${px(x.at(value))}V${px(y.at(share))}`);
    return [`<path class="${name}" d="M${px(x.at(first[0]))} ${px(y.at(0))}${steps.join('')}"/>`];
  }
  const path = points.map(
    ([at, value], index) => `${index === 0 ? 'M' : 'L'}${px(x.at(at))} ${px(y.at(value))}`,
  );
  const dots = points.map(
    ([at, value]) => `<circle class="${name} dot" cx="${px(x.at(at))}" cy="${px(y.at(value))}" r="3.5"/>`,
  );
  return [`<path class="${name}" d="${path.join('')}"/>`, ...dots];
}

/** The names of the lines, each behind a piece of it, in as many rows as they need. */
function layLegend(plot: Plot): { items: string[]; rows: number } {
  let [left, row] = [20, 0];
  const items = plot.series.flatMap((series, index) => {
    const text = legendText(plot, series);
    const width = LEGEND_SAMPLE_PX + text.length * LETTER_PX + 22;
    if (left > 20 && left + width > WIDTH) [left, row] = [20, row + 1];
    const y = TITLE_PX + row * LEGEND_ROW_PX + 8;
    const at = left;
    left += width;
    return [
      `<path class="${styleOf(plot, index)}" d="M${at} ${y}h${LEGEND_SAMPLE_PX - 8}"/>`,
      `<text class="name" x="${at + LEGEND_SAMPLE_PX}" y="${y + 4}">${escape(text)}</text>`,
    ];
  });
  return { items, rows: plot.series.length > 0 ? row + 1 : 0 };
}

function legendText(plot: Plot, { name, points }: PlotSeries): string {
  return isDistribution(plot) ? `${name}, median ${figure(atShare(points, 0.5))}` : name;
}

/** The class of a series: floors and the others are counted apart. */
function styleOf({ series }: Plot, index: number): string {
  const isFloor = series[index]?.isFloor === true;
  const place = series.slice(0, index).filter((other) => (other.isFloor === true) === isFloor).length;
  return isFloor ? `line floor${place % DASHES.length}` : `line s${place % COLOURS.length}`;
}

function style(): string {
  const lines = (cut: 'light' | 'dark'): string =>
    COLOURS.map((colour, index) => `.s${index}{stroke:${colour[cut]}}`).join('');
  return [
    'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-size:13px;fill:#24292f}',
    '.title{font-size:17px;font-weight:600}.label{fill:#57606a}.paper{fill:#fff;stroke:#d0d7de}',
    '.over{paint-order:stroke;stroke:#fff;stroke-width:5px;stroke-linejoin:round}',
    '.grid{stroke:#eaeef2}.axis{stroke:#8c959f}.bound{stroke:#57606a;stroke-dasharray:1.5 4;stroke-width:1.5;stroke-linecap:round}',
    '.line{fill:none;stroke-width:2.2;stroke-linejoin:round}[class*=floor]{stroke:#6e7781}.dot{fill:#fff;stroke-width:2}',
    DASHES.map((dash, index) => `path.floor${index}{stroke-dasharray:${dash}}`).join(''),
    lines('light'),
    '@media(prefers-color-scheme:dark){',
    'text{fill:#e6edf3}.label{fill:#9da7b3}.over{stroke:#0d1117}.paper{fill:#0d1117;stroke:#30363d}.grid{stroke:#21262d}',
    '.axis{stroke:#6e7681}.bound{stroke:#9da7b3}[class*=floor]{stroke:#9198a1}.dot{fill:#0d1117}',
    `${lines('dark')}}`,
  ].join('\n');
}

function tickText(value: number): string {
  return Math.abs(value) >= 10_000 ? value.toLocaleString('en-US') : String(value);
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
