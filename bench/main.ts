/*
 * `npm run bench [name]`: the benchmarks. Each prints a table for people on standard error and its report as one JSON line
 * on standard output. `--save` keeps the report in bench/results/, from which `npm run bench docs` makes
 * docs/performance.md.
 */
import type { Bench } from './lib/bench';
import { runBenches } from './lib/program';
import { density } from './density';
import { growth } from './growth';
import { ingest } from './ingest';
import { join } from './join';
import { latency } from './latency';
import { listeners } from './listeners';
import { memory } from './memory';
import { quality } from './quality';
import { smoothness } from './smoothness';
import { startup } from './startup';

/** In the order of the page. */
export const BENCHES: readonly Bench[] = [
  latency,
  startup,
  join,
  smoothness,
  density,
  listeners,
  ingest,
  memory,
  growth,
  quality,
];

if (require.main === module) void runBenches(BENCHES);
