import { Canary, notJudged } from '../../helpers/canary';
import { perform } from './act';
import type { Fault } from './fault';
import type { Stage } from './stage';
import { keep, type Row } from './table';

/** A machine that stood still for longer made gaps of its own: what the creators are ahead by is not much more. */
const DISTURBED_MS = 200;
/** An act that went wrong on a disturbed machine is tried again; one that goes wrong on a quiet one is not. */
const TRIES = 3;
/** The longest act has 40 s of audio to play out, and may have to be tried again. */
const LIMIT_MS = 300_000;

/** One test a fault, on the stage that is open then. */
export function testFaults(stage: () => Stage, faults: readonly Fault[]): void {
  let canary: Canary;
  beforeAll(async () => {
    canary = await Canary.start();
  });
  afterAll(async () => canary?.stop());

  it.each(faults.map((fault) => [fault.name, fault] as const))(
    '%s',
    async (_name, fault) => {
      for (let tries = 1; ; tries += 1) {
        const { row, fromMs, untilMs } = await perform(stage(), fault);
        const stallMs = (await canary.look()).worstStallMs(fromMs, untilMs);
        console.info(describeRow(row));
        if (row.complaints.length === 0 || stallMs <= DISTURBED_MS) {
          keep(row);
          expect(row.complaints).toEqual([]);
          return;
        }
        if (tries === TRIES) {
          notJudged(
            fault.name,
            `the machine stood still for ${Math.round(stallMs)} ms; ${row.complaints.join('; ')}`,
          );
          return;
        }
      }
    },
    LIMIT_MS,
  );
}

/** A row as a line. */
export function describeRow(row: Row): string {
  const { lost, silence, discarded } = row.counted;
  return (
    `${row.fault}: ${row.witness}; heard: lost ${row.lost}, inserted ${row.inserted}, net ${row.net}; ` +
    `${row.stallMs} ms without a frame, sound after ${row.recoveryMs} ms; ` +
    `${row.restarts} restarts, ${row.reconnects} reconnects; ` +
    `counted: lost ${lost}, silence ${silence}, discarded ${discarded}; off by ${row.difference}`
  );
}
