import path from 'node:path';
import { Canary, notJudged } from '../../helpers/canary';
import { EMBEDDED, type MediaServerUnderTest } from '../../helpers/media-servers';
import { perform } from './act';
import { asWithSrs, isFaultWithSrs } from './with-srs';
import type { Fault } from './fault';
import { ACCOUNT_WITHIN } from './judge';
import type { Stage } from './stage';
import { keep, type Row, type Verdict } from './table';

/** A machine that stood still for longer made gaps of its own: what the creators are ahead by is not much more. */
const DISTURBED_MS = 200;
/** An act that went wrong on a disturbed machine is tried again; one that goes wrong on a quiet one is not. */
const TRIES = 3;
/** The longest act has 40 s of audio to play out, and may have to be tried again. */
const LIMIT_MS = 300_000;

/** One test a fault, on the stage that is open then. @param media of that stage */
export function testFaults(
  stage: () => Stage,
  faults: readonly Fault[],
  media: MediaServerUnderTest = EMBEDDED,
): void {
  let canary: Canary;
  beforeAll(async () => {
    canary = await Canary.start();
  });
  afterAll(async () => canary?.stop());

  const applying = media.kind === 'srs' ? faults.filter(isFaultWithSrs).map(asWithSrs) : faults;
  it.each(applying.map((fault) => [fault.name, fault] as const))(
    '%s',
    async (_name, fault) => {
      for (let tries = 1; ; tries += 1) {
        const { verdict, fromMs, untilMs } = await perform(stage(), fault, canary).catch((error: unknown) => {
          keep({ ...rowOf(fault, stage()), failure: (error as Error).message.split('\n')[0] });
          throw error;
        });
        const stallMs = (await canary.look()).worstStallMs(fromMs, untilMs);
        console.info(describeVerdict(verdict));
        if (verdict.complaints.length === 0 || stallMs <= DISTURBED_MS) {
          keep({ ...rowOf(fault, stage(), verdict), verdict });
          expect(verdict.complaints).toEqual([]);
          return;
        }
        if (tries === TRIES) {
          const why = `the machine stood still for ${Math.round(stallMs)} ms; ${verdict.complaints.join('; ')}`;
          keep({ ...rowOf(fault, stage(), verdict), verdict, unjudged: why });
          notJudged(fault.name, why);
          return;
        }
      }
    },
    LIMIT_MS,
  );
}

function rowOf({ name, account, withSrs }: Fault, { daemon }: Stage, verdict?: Verdict): Row {
  const reasons = [
    ...(daemon.srs && withSrs && 'because' in withSrs ? [withSrs.because] : []),
    ...(account && verdict && Math.abs(verdict.difference) > ACCOUNT_WITHIN ? [account.because] : []),
  ];
  return {
    fault: name,
    group: path.basename(expect.getState().testPath ?? '', '.test.ts'),
    mediaServer: daemon.srs ? `SRS ${daemon.srs.version}` : 'embedded',
    ...(reasons.length > 0 && { because: [...new Set(reasons)] }),
  };
}

/** A verdict as a line. */
export function describeVerdict(verdict: Verdict): string {
  const { lost, silence, discarded } = verdict.counted;
  return (
    `${verdict.fault}: ${verdict.witness}; ` +
    `heard: lost ${verdict.lost}, inserted ${verdict.inserted}, net ${verdict.net}; ` +
    `${verdict.stallMs} ms without a frame, sound after ${verdict.recoveryMs} ms; ` +
    `${verdict.restarts} restarts, ${verdict.reconnects} reconnects; ` +
    `counted: lost ${lost}, silence ${silence}, discarded ${discarded}; off by ${verdict.difference}`
  );
}
