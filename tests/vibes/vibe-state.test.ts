import { IllegalMove, StateMachine } from '../../src/base/state';
import { isOver, isStreaming, VIBE_STATES, type VibeState } from '../../src/vibes/vibe-state';

const STATES = Object.keys(VIBE_STATES) as VibeState[];

/**
 * The contract: starting → buffering → live ⇄ holding → ending → ended, and failed from any that is not over. A vibe that
 * outlived its daemon is held at once.
 */
const LEGAL = new Set([
  'starting buffering',
  'starting holding',
  'buffering live',
  'live holding',
  'holding live',
  'starting ending',
  'buffering ending',
  'live ending',
  'holding ending',
  'ending ended',
  'starting failed',
  'buffering failed',
  'live failed',
  'holding failed',
  'ending failed',
]);

describe('the states of a vibe', () => {
  it.each(STATES.flatMap((from) => STATES.filter((to) => to !== from).map((to) => [from, to] as const)))(
    'from %s to %s: as the contract says',
    (from, to) => {
      const machine = new StateMachine('vibe', VIBE_STATES, from, () => undefined);
      const move = (): void => machine.move(to, 'test');
      if (LEGAL.has(`${from} ${to}`)) {
        move();
        expect(machine.state).toBe(to);
      } else {
        expect(move).toThrow(IllegalMove);
        expect(machine.state).toBe(from);
      }
    },
  );

  it('are on air while something goes out, and over when nothing will follow', () => {
    expect(STATES.filter(isStreaming)).toEqual(['live', 'holding', 'ending']);
    expect(STATES.filter(isOver)).toEqual(['ended', 'failed']);
  });
});
