import type { Bench } from '../../bench/lib/bench';
import type { Report } from '../../bench/lib/report';

/** A report with what a test says, and the least of everything else. */
export function reportOf(parts: Partial<Report> = {}): Report {
  return {
    bench: 'startup',
    date: '2026-11-21T10:00:00.000Z',
    quick: false,
    machine: {
      cores: 2,
      cpu: 'Some CPU',
      memoryGiB: 4,
      system: 'Some Linux 1',
      kernel: '6.1.0',
      node: 'v20.19.0',
      ffmpeg: '5.1.9',
      commit: 'abc1234',
    },
    parameters: { rounds: 3, seconds: 1 },
    measures: [],
    comparisons: [],
    plots: [],
    notes: [],
    ...parts,
  };
}

/** A benchmark of which nothing but its words matter. */
export function benchOf(name: string, parts: Partial<Bench> = {}): Bench {
  return {
    name,
    summary: `the summary of ${name}`,
    description: `What ${name} does.`,
    defaults: { rounds: 3, seconds: 1 },
    quick: { rounds: 1, seconds: 1 },
    isGuard: true,
    run: () => Promise.resolve(),
    ...parts,
  };
}
