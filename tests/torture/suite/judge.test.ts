import type { ContinuityEvent, ContinuityReport } from '../continuity/continuity';
import type { Counted, Evidence, Heard } from './act';
import { judge } from './judge';
import type { OnAir } from './fault';

const SENT = 480_000;
const PRIMING = 1_024;

const clean: ContinuityReport = {
  ...{ events: [], net: 0, lost: 0, inserted: 0, driftPpm: 0 },
  ...{ first: 0, end: SENT, heardFrom: PRIMING, heardUntil: SENT + PRIMING, meanLikeness: 0.99 },
};

function report(event: Omit<ContinuityEvent, 'at'>): ContinuityReport {
  const { net, foreign } = event;
  return {
    ...clean,
    events: [{ ...event, at: 200_000 }],
    net,
    lost: Math.max(0, net + foreign),
    inserted: foreign + Math.max(0, -net - foreign),
  };
}

function heard(
  vibeId: string,
  what: ContinuityReport,
  options: { restarts?: number; stallMs?: number } = {},
): Heard {
  const { restarts = 0, stallMs = 21 } = options;
  const ear = {
    usualGapMs: 250,
    reconnects: 0,
    timestampFault: undefined,
    longestStall: () => ({ fromMs: 1_000, untilMs: 1_000 + stallMs }),
  };
  const onAir = { vibeId, seed: 1, ownerKey: '', ear, creator: { sentSamples: SENT } } as unknown as OnAir;
  return { onAir, report: what, channelsDiffer: 0, restarts };
}

function evidence(victim: Heard, counted: Partial<Counted> = {}, rest: Partial<Evidence> = {}): Evidence {
  const control = rest.control ?? heard('control', clean);
  return {
    fault: { name: 'a fault', vibeId: 'victim', inject: async () => bite, price: { lost: 0, stallMs: 500 } },
    scene: { stage: undefined as never, victim: victim.onAir, control: control.onAir },
    bite,
    victim,
    control,
    counted: { accepted: 2 * SENT, played: 2 * SENT, silence: 0, discarded: 0, lost: 0, ...counted },
    ...{ log: [], ready: 200, loops: [], tailSamples: 0, residue: [] },
    ...rest,
  };
}

const bite = { atMs: 1_000, witness: 'seen' };
const killed = report({ kind: 'lost', net: 3_072 - PRIMING, foreign: 400 });
const mayLose = (lost: number): Partial<Evidence> => ({
  fault: { ...evidence(heard('victim', clean)).fault, price: { lost, stallMs: 500, restarts: 1 } },
});

describe('the verdict on a fault', () => {
  it('has nothing to say of one that cost nothing', () => {
    expect(judge(evidence(heard('victim', clean)))).toMatchObject({
      ...{ lost: 0, inserted: 0, stallMs: 21, recoveryMs: 0, difference: 0 },
      complaints: [],
    });
  });

  it('takes an encoder’s priming for what it is, and what was lost to the sample', () => {
    const row = judge(evidence(heard('victim', killed, { restarts: 1 }), { lost: 3_072 }, mayLose(3_072)));
    expect(row).toMatchObject({ lost: 3_072, inserted: 0, net: 2_048, difference: 0, complaints: [] });
  });

  it('complains of each sample above the price', () => {
    const row = judge(evidence(heard('victim', killed, { restarts: 1 }), { lost: 3_072 }, mayLose(3_071)));
    expect(row.complaints).toEqual(['samples lost: 3072, at most 3071']);
  });

  it('complains of what was lost and not counted, and of what was counted and not lost', () => {
    const silent = judge(evidence(heard('victim', killed, { restarts: 1 }), { lost: 0 }, mayLose(3_072)));
    expect(silent.difference).toBe(-3_072);
    expect(silent.complaints).toEqual(['the metrics’ account is -3072 samples off, at most 8']);
    expect(judge(evidence(heard('victim', clean), { lost: 9 })).complaints).toHaveLength(1);
  });

  it('holds inserted silence against its counter', () => {
    const filled = heard('victim', report({ kind: 'inserted', net: -4_096, foreign: 4_080 }));
    const fault = { ...evidence(filled).fault, price: { lost: 0, inserted: 4_096, stallMs: 500 } };
    expect(judge(evidence(filled, { silence: 4_096 }, { fault })).complaints).toEqual([]);
    expect(judge(evidence(filled, { silence: 1_024 }, { fault })).complaints).toHaveLength(1);
  });

  it('does not take for a gap the silence that the media server is given to end with', () => {
    const row = judge(evidence(heard('victim', clean), { silence: 2 * 8_192 }, { tailSamples: 8_192 }));
    expect(row).toMatchObject({ counted: { silence: 0 }, difference: 0, complaints: [] });
  });

  it('complains of samples that were sent and not accepted, or accepted and nowhere', () => {
    const victim = heard('victim', clean);
    expect(judge(evidence(victim, { accepted: 2 * SENT - 1, played: 2 * SENT - 1 })).complaints).toHaveLength(
      1,
    );
    expect(judge(evidence(victim, { played: 2 * SENT - 1 })).complaints).toHaveLength(1);
  });

  it('complains of anything that the control vibe hears, unless the fault hits all', () => {
    const control = heard('control', report({ kind: 'damaged', net: 0, foreign: 240 }));
    const row = judge(evidence(heard('victim', clean), {}, { control }));
    expect(row.complaints).toEqual(['the control vibe: damaged 0 (240) at 4.167 s']);
    const fault = { ...evidence(control).fault, hitsAll: true };
    expect(judge(evidence(heard('victim', clean), {}, { control, fault })).complaints).toEqual([]);
  });

  it('complains of a stall above the price, of a log without a word, and of what is left behind', () => {
    const fault = { ...evidence(heard('victim', clean)).fault, says: () => false };
    const row = judge(
      evidence(heard('victim', clean, { stallMs: 700 }), {}, { fault, ready: 503, residue: ['1 zombies'] }),
    );
    expect(row.recoveryMs).toBe(700);
    expect(row.complaints).toEqual([
      'ms without a frame: 700, at most 500',
      'no line of the log names the fault',
      '/ready says 503 when all is well again',
      '1 zombies',
    ]);
  });

  describe('on what the log says', () => {
    const line = { level: 'warn', msg: 'an FFmpeg ended' };
    const complaints = (log: Evidence['log'], lines?: number): readonly string[] => {
      const { fault } = evidence(heard('victim', clean));
      const says = ({ msg }: { msg: string }): boolean => msg === line.msg;
      const told = { ...fault, says, ...(lines === undefined ? {} : { lines }) };
      return judge(evidence(heard('victim', clean), {}, { fault: told, log })).complaints;
    };

    it('wants one line that names the fault, and not two, unless told', () => {
      expect(complaints([line])).toEqual([]);
      expect(complaints([line, line])).toEqual(['2 lines of the log name the fault, at most 1']);
      expect(complaints([line, line], 2)).toEqual([]);
    });

    it('complains of what is fatal, and of a line for each chunk', () => {
      const chatter = Array.from({ length: 21 }, () => ({ level: 'info', msg: 'a chunk came' }));
      expect(complaints([line, ...chatter.slice(1)])).toEqual([]);
      expect(complaints([line, ...chatter])).toEqual(['“a chunk came” stands in the log 21 times']);
      const refusals = chatter.map((one) => ({ ...one, audit: 'refused' }));
      expect(complaints([line, ...refusals])).toEqual([]);
      expect(complaints([line, { level: 'fatal', msg: 'no more' }])).toEqual(['fatal: no more']);
    });
  });

  it('complains of an event loop that is late without a fault, and not of a machine that is', () => {
    const victim = heard('victim', clean);
    const loops = [
      { p99Ms: 51, machineMs: 0 },
      { p99Ms: 90, machineMs: 40 },
    ];
    expect(judge(evidence(victim, {}, { loops })).complaints).toEqual([
      'before the fault the event loop is 51 ms late, at most 50',
    ]);
  });
});
