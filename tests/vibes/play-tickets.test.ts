import { Participants } from '../../src/vibes/participants';
import { type PlayTickets, ticketsOf } from '../../src/vibes/play-tickets';
import { FakeClock } from '../helpers/fake-clock';
import { FakeMediaServer } from '../helpers/fake-media-server';

function setUp() {
  const clock = new FakeClock();
  const mediaServer = new FakeMediaServer();
  const tickets = ticketsOf({ vibeId: 'v', isPrivate: true }, { mediaServer }) as PlayTickets;
  const participants = new Participants({ clock, tickets, onChange: () => undefined });
  return { clock, mediaServer, participants };
}

describe('tickets to a private vibe', () => {
  it('are each participant’s own, and the same at each renewal', () => {
    const { mediaServer, participants } = setUp();
    const { ticket } = participants.join('p');
    expect(ticket).toMatch(/^[\w-]{32}$/);
    expect(participants.join('p').ticket).toBe(ticket);
    expect(participants.join('q').ticket).not.toBe(ticket);
    expect(mediaServer.tickets.size).toBe(2);
    expect(mediaServer.tickets).toContain(`v ${ticket}`);
  });

  it('are good no more once the participant has left, or its lease has run out', () => {
    const { clock, mediaServer, participants } = setUp();
    const { ticket } = participants.join('p');
    participants.join('q');
    participants.leave('p');
    expect([...mediaServer.tickets]).not.toContain(`v ${ticket}`);
    expect(participants.join('p').ticket).not.toBe(ticket);
    clock.advance(61_000);
    participants.expire();
    expect(mediaServer.tickets.size).toBe(0);
  });

  it('are none where everybody may listen, or where nobody can be kept out', () => {
    const mediaServer = new FakeMediaServer();
    expect(ticketsOf({ vibeId: 'v' }, { mediaServer })).toBeUndefined();
    mediaServer.admissions = undefined;
    expect(ticketsOf({ vibeId: 'v', isPrivate: true }, { mediaServer })).toBeUndefined();
  });
});
