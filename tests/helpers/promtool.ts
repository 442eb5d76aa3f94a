import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findProgram } from '../../src/cli/which';
import { type ProgramResult, runProgram } from './run-program';

/**
 * Prometheus's own checker, from Debian's package `prometheus`. `npm test` takes it out of the package without
 * installing the service, and says in PROMTOOL_PATH where it is.
 */
const PROMTOOL = process.env['PROMTOOL_PATH'] || findProgram('promtool', process.env['PATH']);

const isThere = PROMTOOL !== undefined && existsSync(PROMTOOL);

/** `describe`, skipped under a name that says so where there is no promtool; with CI=true it fails instead. */
export const describeWithPromtool =
  isThere || process.env['CI'] === 'true'
    ? describe
    : (name: string, fn: () => void) => describe.skip(`${name} (skipped: no promtool here)`, fn);

/** Runs promtool. @throws {Error} where it is not there */
export async function promtool(args: readonly string[], input?: Buffer): Promise<ProgramResult> {
  if (PROMTOOL === undefined) throw new Error('promtool is not here: apt-get install prometheus');
  return runProgram(PROMTOOL, args, input === undefined ? {} : { input });
}

/** Series and their values in promtool's notation, such as `0+1x80`: every 15 s one more. */
export type Series = Readonly<Record<string, string>>;

/**
 * Which alerts fire where a Prometheus sees these series.
 * @param rules the file with the alerts
 * @param cases each is looked at after `after`, such as `20m`
 * @returns promtool's verdict; it says what differs
 */
export async function testAlerts(
  rules: string,
  cases: readonly { name: string; series: Series; after: string; firing: readonly string[] }[],
): Promise<ProgramResult> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-alerts-'));
  try {
    const file = path.join(directory, 'alerts.test.json');
    // JSON is YAML.
    writeFileSync(
      file,
      JSON.stringify({
        rule_files: [rules],
        evaluation_interval: '30s',
        tests: cases.map(({ name, series, after, firing }) => ({
          name,
          interval: '15s',
          input_series: Object.entries(series).map(([key, values]) => ({ series: key, values })),
          promql_expr_test: [
            {
              expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
              eval_time: after,
              exp_samples: firing.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
            },
          ],
        })),
      }),
    );
    return await promtool(['test', 'rules', file]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
