import { type CpuTime, Headroom, type Machine } from '../../src/base/headroom';
import { FakeClock } from '../helpers/fake-clock';

const MB = 1024 * 1024;
const LIMITS = { maxCpuPercent: 95, minFreeMemoryMb: 128 };

/** A machine of two cores whose work is in the test's hand. */
class FakeMachine implements Machine {
  busyPart = 0;
  /** Of what it is busy with. */
  ownPart = 0.6;
  free = 1_000 * MB;
  #busyMs = 0;
  #ownMs = 0;
  #allMs = 0;

  cpu(): CpuTime {
    this.#busyMs += 4_000 * this.busyPart;
    this.#ownMs += 4_000 * this.busyPart * this.ownPart;
    this.#allMs += 4_000;
    return { busyMs: this.#busyMs, ownMs: this.#ownMs, allMs: this.#allMs };
  }

  freeBytes(): number {
    return this.free;
  }
}

function open(limits = LIMITS): { clock: FakeClock; machine: FakeMachine; headroom: Headroom } {
  const clock = new FakeClock();
  const machine = new FakeMachine();
  return { clock, machine, headroom: new Headroom(limits, clock, machine) };
}

describe('the room that a machine has for another vibe', () => {
  it('is there while nothing is short', () => {
    const { clock, machine, headroom } = open();
    machine.busyPart = 0.94;
    clock.advance(60_000);
    expect(headroom.shortage).toBeUndefined();
  });

  it('is gone when the processor was busy for twenty seconds, and comes back', () => {
    const { clock, machine, headroom } = open();
    machine.busyPart = 1;
    clock.advance(19_000);
    expect(headroom.shortage).toBeUndefined();
    clock.advance(4_000);
    expect(headroom.shortage).toBe('the processor has been 100 % busy for 20 s');
    machine.busyPart = 0;
    clock.advance(2_000);
    expect(headroom.shortage).toBeUndefined();
  });

  it('is not gone for a burst of work', () => {
    const { clock, machine, headroom } = open();
    clock.advance(40_000);
    machine.busyPart = 1;
    clock.advance(18_000);
    expect(headroom.shortage).toBeUndefined();
  });

  it('is not gone where most of the work is somebody else’s: a vibe less would free nothing', () => {
    const { clock, machine, headroom } = open();
    machine.busyPart = 1;
    machine.ownPart = 0.4;
    clock.advance(60_000);
    expect(headroom.shortage).toBeUndefined();
  });

  it('does not depend on the processor at 100', () => {
    const { clock, machine, headroom } = open({ ...LIMITS, maxCpuPercent: 100 });
    machine.busyPart = 1;
    clock.advance(60_000);
    expect(headroom.shortage).toBeUndefined();
  });

  it('is gone where memory is short, at once', () => {
    const { machine, headroom } = open();
    machine.free = 127 * MB;
    expect(headroom.shortage).toBe('only 127 MB of memory are free');
    machine.free = 128 * MB;
    expect(headroom.shortage).toBeUndefined();
  });

  it('is looked at until it is closed, on this machine as well', () => {
    const clock = new FakeClock();
    const headroom = new Headroom({ maxCpuPercent: 99, minFreeMemoryMb: 0 }, clock, () => [process.pid]);
    clock.advance(2_000);
    expect(headroom.shortage).toBeUndefined();
    headroom.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
