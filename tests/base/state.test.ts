import { IllegalMove, type Move, StateMachine } from '../../src/base/state';

type Light = 'red' | 'green' | 'off';

function light() {
  const moves: Move<Light>[] = [];
  const machine = new StateMachine<Light>(
    'light',
    { red: ['green', 'off'], green: ['red'], off: [] },
    'red',
    (move) => moves.push(move),
  );
  return { machine, moves };
}

describe('a state machine', () => {
  it('moves along its table and tells from where, to where and why', () => {
    const { machine, moves } = light();
    machine.move('green', 'timer');
    expect(machine.state).toBe('green');
    expect(moves).toEqual([{ from: 'red', to: 'green', cause: 'timer' }]);
  });

  it('refuses a move that the table does not have, and stays where it was', () => {
    const { machine, moves } = light();
    machine.move('off', 'night');
    expect(() => machine.move('green', 'timer')).toThrow(IllegalMove);
    expect(machine.state).toBe('off');
    expect(moves).toHaveLength(1);
  });

  it('tells nobody when it stays where it is', () => {
    const { machine, moves } = light();
    machine.move('red', 'again');
    expect(moves).toEqual([]);
  });

  it('knows where it can go', () => {
    const { machine } = light();
    expect([machine.can('green'), machine.can('red')]).toEqual([true, false]);
  });
});
