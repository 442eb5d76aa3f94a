import type { Plot } from '../../bench/lib/plot';
import { distribution } from '../../bench/lib/stats';
import { drawPlot } from '../../bench/lib/svg';

const LOAD: Plot = {
  name: 'density',
  title: 'CPU <against> vibes & "load"',
  xLabel: 'vibes',
  yLabel: 'cores',
  series: [
    {
      name: 'by hand',
      points: [
        [10, 0.1],
        [40, 0.5],
        [80, 1.1],
      ],
      isFloor: true,
    },
    {
      name: 'relay',
      points: [
        [10, 0.2],
        [40, 0.6],
        [80, 1.3],
      ],
    },
  ],
  bounds: [{ axis: 'y', value: 1.6, label: 'target' }],
};
const SHARES: Plot = {
  name: 'latency',
  title: 'Latency',
  xLabel: 'ms',
  yLabel: 'share of chunks',
  series: [
    { name: 'floor', points: distribution([40, 42, 43, 44]), isFloor: true },
    { name: 'relay', points: distribution([41, 44, 46, 48]) },
  ],
};

/** Tags that are opened and not closed, or closed and not open; and text that XML would not take. */
function faults(xml: string): string[] {
  const found: string[] = [];
  const open: string[] = [];
  for (const [, close, name, rest] of xml.matchAll(/<(\/?)([a-z]+)((?:[^>"]|"[^"]*")*)>/g)) {
    if (close) {
      if (open.pop() !== name) found.push(`</${name}>`);
    } else if (!rest?.endsWith('/')) open.push(name as string);
  }
  const texts = xml.replace(/<style>[^<]*<\/style>/, '').split(/<(?:[^>"]|"[^"]*")*>/);
  found.push(...texts.filter((text) => /[<>]|&(?!amp;|lt;|gt;|quot;)/.test(text)));
  return [...found, ...open];
}

/** The places of all points, of dots or of paths. */
function dots(svg: string): [number, number][] {
  return [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

describe.each([
  ['cost against load', LOAD],
  ['a distribution', SHARES],
  ['logarithmic axes', { ...LOAD, xScale: 'logarithmic', yScale: 'logarithmic' } as const],
])('a picture of %s', (_name, plot) => {
  const svg = drawPlot(plot);

  it('is whole XML, and names no place of this world but that of SVG', () => {
    expect(faults(svg)).toEqual([]);
    expect(svg.match(/https?:[^"]*/g)).toEqual(['http://www.w3.org/2000/svg']);
  });

  it('lies within its frame, all numbers being numbers', () => {
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) as unknown as [string, string, string];
    const xs = [...svg.matchAll(/ (?:x|x1|x2|cx)="(-?[\d.]+)"/g)].map(([, x]) => Number(x));
    const ys = [...svg.matchAll(/ (?:y|y1|y2|cy)="(-?[\d.]+)"/g)].map(([, y]) => Number(y));
    expect(xs.filter((x) => x < 0 || x > Number(width))).toEqual([]);
    expect(ys.filter((y) => y < 0 || y > Number(height))).toEqual([]);
  });

  it('says its title, both axes, and every line by its name', () => {
    for (const text of [plot.xLabel, plot.yLabel, ...plot.series.map(({ name }) => name)])
      expect(svg).toContain(text);
    expect(svg).toContain(`<title>${plot.title.startsWith('CPU') ? 'CPU &lt;against&gt;' : plot.title}`);
  });

  it('draws the floor dashed, and knows the dark', () => {
    expect(svg).toMatch(/class="line floor0" d="M/);
    expect(svg).toMatch(/path\.floor0\{stroke-dasharray:/);
    expect(svg).toContain('@media(prefers-color-scheme:dark)');
  });

  it('is the same each time', () => {
    expect(drawPlot(plot)).toBe(svg);
  });
});

describe('a picture of cost against load', () => {
  it('has each point where its values are: further right for more, further up for more', () => {
    const points = dots(drawPlot(LOAD));
    expect(points).toHaveLength(6);
    const [floor, relay] = [points.slice(0, 3), points.slice(3)];
    for (const line of [floor, relay]) {
      expect([...line].sort(([a], [b]) => a - b)).toEqual(line);
      expect([...line].sort(([, a], [, b]) => b - a)).toEqual(line);
    }
    relay.forEach(([x, y], index) => {
      expect(x).toBe(floor[index]?.[0]);
      expect(y).toBeLessThan(floor[index]?.[1] as number);
    });
  });

  it('leaves out what was not measured', () => {
    const holed = drawPlot({
      ...LOAD,
      series: [
        {
          name: 'relay',
          points: [
            [10, 1],
            [20, NaN],
            [40, 2],
          ],
        },
        { name: 'nothing', points: [] },
      ],
    });
    expect(dots(holed)).toHaveLength(2);
    expect(holed).not.toContain('NaN');
  });

  it('stands where nothing was measured', () => {
    const empty = { ...LOAD, series: [{ name: 'relay', points: [] }] };
    for (const plot of [empty, { ...empty, kind: 'distribution' } as const]) {
      expect(faults(drawPlot(plot))).toEqual([]);
      expect(drawPlot(plot)).not.toMatch(/NaN|Infinity/);
    }
  });

  it('shows the target', () => {
    expect(drawPlot(LOAD)).toMatch(/<line class="bound"[\s\S]*?>target</);
  });
});

describe('a picture of a distribution', () => {
  it('says the median of each line', () => {
    const svg = drawPlot(SHARES);
    expect(svg).toContain('floor, median 42');
    expect(svg).toContain('relay, median 44');
  });

  it('cuts off a tail that would squeeze the rest, and says so', () => {
    const many = Array.from({ length: 300 }, (_, index) => 40 + index / 30);
    const svg = drawPlot({
      ...SHARES,
      series: [{ name: 'relay', points: distribution([...many, 900], 301) }],
    });
    expect(svg).toContain('relay: the longest is 900');
    expect(svg).not.toContain('>900<');
    expect(drawPlot(SHARES)).not.toContain('the longest is');
  });
});
