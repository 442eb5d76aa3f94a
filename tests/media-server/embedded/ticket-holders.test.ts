import { TicketHolders } from '../../../src/media-server/embedded/ticket-holders';

describe('holders of tickets', () => {
  it('are those who were admitted, until they are expelled', () => {
    const holders = new TicketHolders();
    holders.admit('a');
    holders.admit('a');
    expect([holders.has('a'), holders.has('b'), holders.has('')]).toEqual([true, false, false]);
    holders.expel('a');
    holders.expel('a');
    expect(holders.has('a')).toBe(false);
  });

  it('are cut off with all their players when they are expelled, and nobody else is', () => {
    const holders = new TicketHolders();
    for (const ticket of ['a', 'b']) holders.admit(ticket);
    const cut: string[] = [];
    holders.enter('a', () => cut.push('a1'));
    holders.enter('a', () => cut.push('a2'));
    const gone = holders.enter('a', () => cut.push('a3'));
    holders.enter('b', () => cut.push('b'));
    gone();
    holders.expel('a');
    expect(cut).toEqual(['a1', 'a2']);
  });

  it('are cut off at once where their ticket ran out on the way', () => {
    const cut = jest.fn();
    new TicketHolders().enter('late', cut);
    expect(cut).toHaveBeenCalledTimes(1);
  });
});
