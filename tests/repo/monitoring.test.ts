import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Metrics } from '../../src/base/metrics';
import { describeWithPromtool, promtool } from '../helpers/promtool';
import { ROOT } from '../helpers/sources';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { uid: string };
  readonly gridPos: { x: number; y: number; w: number; h: number };
  readonly targets?: readonly { expr: string; datasource: { uid: string } }[];
}

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const rules = read('monitoring/alerts.yml');
const dashboard = JSON.parse(read('monitoring/grafana-dashboard.json')) as {
  panels: readonly Panel[];
  templating: { list: readonly { name: string; type: string }[] };
};
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** Every series that the daemon shows, with its labels. */
function shownSeries(): Map<string, readonly string[]> {
  const metrics = new Metrics();
  const series = new Map<string, readonly string[]>([['up', []]]);
  const all = metrics.registry.getMetricsAsArray() as unknown as {
    name: string;
    type: string;
    labelNames: string[];
  }[];
  for (const { name, type, labelNames } of all) {
    const labels = labelNames ?? [];
    if (type !== 'histogram') series.set(name, labels);
    else for (const end of ['_bucket', '_sum', '_count']) series.set(`${name}${end}`, [...labels, 'le']);
  }
  metrics.registry.clear();
  return series;
}

/** The series that an expression asks for, each with the labels that it matches. */
function asked(text: string): { name: string; labels: string[] }[] {
  return [...text.matchAll(/\b(vibesflow_\w+|up)\b(?:\{([^}]*)\})?/g)]
    .filter(([whole]) => !whole.startsWith('up') || whole.startsWith('up{'))
    .map(([, name, matchers = '']) => ({
      name: name as string,
      labels: [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)/g)].map(([, label]) => label as string),
    }));
}

describe('what Prometheus and Grafana are asked for', () => {
  const series = shownSeries();
  /** What Prometheus adds. */
  const scraped = ['instance', 'job'];

  it.each([
    ['the alerts', rules.replace(/^.*(?:summary|description|runbook_url|#).*$/gm, '')],
    ['the dashboard', expressions.join('\n')],
  ])('exists in the daemon’s metrics, labels included: %s', (_what, text) => {
    const found = asked(text);
    expect(found.length).toBeGreaterThan(20);
    const unknown = found.filter(
      ({ name, labels }) =>
        !series.has(name) ||
        labels.some((label) => ![...(series.get(name) ?? []), ...scraped].includes(label)),
    );
    expect(unknown).toEqual([]);
  });
});

describe('an alert', () => {
  const guide = read('docs/operations.md');
  const alerts = [...rules.matchAll(/- alert: (\w+)\n([\s\S]*?)(?=\n\s*\n|$)/g)];

  it.each(alerts.map(([, name = '', body = '']) => ({ name, body })))(
    '$name says how bad it is, what it means and where the remedy stands',
    ({ name, body }) => {
      expect(body).toMatch(/severity: (critical|warning)/);
      expect(body).toMatch(/summary: ./);
      expect(body).toMatch(/description: ./);
      expect(body).toContain(`runbook_url: docs/operations.md#${name.toLowerCase()}\n`.trim());
      const section = guide.split(new RegExp(`^#+ ${name}$`, 'm'))[1]?.split(/^#+ /m)[0] ?? '';
      // A cause and a remedy, not only a heading.
      expect(section.trim().length).toBeGreaterThan(80);
    },
  );

  it('is described in the guide only where there is one', () => {
    const described = [...guide.matchAll(/^#+ (Vibesflow\w+)$/gm)].map(([, name]) => name);
    expect(described.sort()).toEqual(alerts.map(([, name]) => name).sort());
  });
});

describe('the dashboard', () => {
  it('groups its panels by what an operator asks', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual([
      'On air',
      'Sound',
      'Buffers and pacing',
      'Encoders',
      'Media server',
      'HTTP doors',
      'Process',
    ]);
  });

  it('takes its data from wherever it is imported: by variables, never by a fixed source', () => {
    expect(dashboard.templating.list.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'datasource datasource',
      'instance query',
    ]);
    const sources = dashboard.panels
      .filter(({ type }) => type !== 'row')
      .flatMap(({ datasource, targets = [] }) => [datasource, ...targets.map((target) => target.datasource)]);
    expect(new Set(sources.map((source) => source?.uid))).toEqual(new Set(['${datasource}']));
  });

  it('has panels with ids of their own, a word of explanation, and no overlap', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Map<string, string>();
    const overlaps: string[] = [];
    for (const { type, title, description, gridPos } of dashboard.panels) {
      if (type !== 'row') expect(`${title}: ${description}`).toMatch(/: \S.{8,}/);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          const other = taken.get(`${x} ${y}`);
          if (other !== undefined) overlaps.push(`${title} over ${other}`);
          if (x >= 24) overlaps.push(`${title} beyond the edge`);
          taken.set(`${x} ${y}`, title);
        }
    }
    expect(overlaps).toEqual([]);
  });
});

describeWithPromtool('the dashboard’s expressions', () => {
  it('are PromQL', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-dashboard-'));
    try {
      const file = path.join(directory, 'rules.json');
      const groups = expressions.map((expr, index) => ({
        name: `panel ${index}`,
        rules: [
          {
            record: `panel:${index}`,
            expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.+'),
          },
        ],
      }));
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ groups }));
      const { exitCode, stderr } = await promtool(['check', 'rules', file]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
