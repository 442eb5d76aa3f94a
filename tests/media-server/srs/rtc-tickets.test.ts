import { type Hook, parseHook } from '../../../src/media-server/srs/hook';
import { RtcTickets } from '../../../src/media-server/srs/rtc-tickets';

function hook(token: string, change: Record<string, string> = {}): Hook {
  const { action = 'on_publish', ...rest } = change;
  const body = { vhost: 'whip', app: 'live', stream: 's', param: `vhost=whip&token=${token}`, ...rest };
  return parseHook(action as Hook['action'], body);
}

describe('a ticket', () => {
  it('lets its holder in once', () => {
    const tickets = new RtcTickets('live');
    const { token } = tickets.issue('on_publish', 'whip', 's');
    expect(tickets.redeem(hook(token))).toEqual({ allowed: true });
    expect(tickets.redeem(hook(token))).toMatchObject({ allowed: false });
    expect(tickets.open).toBe(0);
  });

  it.each<Record<string, string>>([
    { action: 'on_play' },
    { vhost: 'whep' },
    { stream: 'other' },
    { app: 'other' },
    { param: 'token=guessed' },
    { param: '' },
  ])('is good for nothing else: %j', (change) => {
    const tickets = new RtcTickets('live');
    const { token } = tickets.issue('on_publish', 'whip', 's');
    expect(tickets.redeem(hook(token, change))).toMatchObject({ allowed: false });
    expect(tickets.redeem(hook(token))).toEqual({ allowed: true });
  });

  it('can be taken back', () => {
    const tickets = new RtcTickets('live');
    const { token, revoke } = tickets.issue('on_play', 'whep', 's');
    revoke();
    expect(tickets.redeem(hook(token, { action: 'on_play', vhost: 'whep' }))).toMatchObject({
      allowed: false,
    });
    expect(tickets.open).toBe(0);
  });
});
