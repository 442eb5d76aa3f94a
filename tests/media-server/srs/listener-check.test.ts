import { type ClientEntry, SrsApiError, type StreamEntry } from '../../../src/media-server/srs/api';
import { ListenerCheck } from '../../../src/media-server/srs/listener-check';
import { Players } from '../../../src/media-server/srs/players';
import { FakeClock } from '../../helpers/fake-clock';
import { silentLogger } from '../../helpers/silent-logger';

const vibeIdOf = (url: string): string | undefined => /^\/live\/(.+)$/.exec(url)?.[1];

class Setting {
  readonly clock = new FakeClock();
  readonly players = new Players(() => undefined);
  clients: ClientEntry[] = [];
  lists = 0;
  fails = false;
  readonly check = new ListenerCheck({
    api: {
      clients: () => {
        this.lists += 1;
        return this.fails ? Promise.reject(new SrsApiError('silent', 'no')) : Promise.resolve(this.clients);
      },
    },
    ...{ players: this.players, clock: this.clock, logger: silentLogger, vibeIdOf },
  });

  /** A look that sees so many clients, the publisher included. */
  async look(clients: number, url = '/live/song'): Promise<void> {
    const stream: StreamEntry = { url, publishing: true, publisherId: 'p', hasAudio: true, clients };
    this.check.compare([stream]);
    await this.clock.advanceAsync(2_000, 1_000);
  }
}

const player = (id: string): ClientEntry => ({ id, url: '/live/song', publishing: false });

describe('the check of listeners', () => {
  it('asks for no list while the counts agree', async () => {
    const setting = new Setting();
    setting.players.came('a', 'song', false, 0);
    setting.players.came('probe', 'song', true, 0);
    for (let look = 0; look < 3; look += 1) await setting.look(3);
    await setting.look(7, 'whip/live/other');
    expect(setting.lists).toBe(0);
  });

  it('believes SRS where two looks agree that hooks were lost', async () => {
    const setting = new Setting();
    setting.clients = [player('a'), player('b')];
    await setting.look(3);
    expect([setting.lists, setting.players.listeners('song')]).toEqual([0, 0]);
    await setting.look(3);
    expect([setting.lists, setting.players.listeners('song')]).toEqual([1, 2]);
    await setting.look(3);
    expect(setting.lists).toBe(1);
  });

  it('notices players that are gone with their stream', async () => {
    const setting = new Setting();
    setting.players.came('a', 'song', false, 0);
    await setting.look(1, '/live/other');
    await setting.look(1, '/live/other');
    expect(setting.players.listeners('song')).toBe(0);
  });

  it('takes counts that change for what is on its way', async () => {
    const setting = new Setting();
    for (let clients = 2; clients < 7; clients += 1) await setting.look(clients);
    expect(setting.lists).toBe(0);
  });

  it('asks for the list every five seconds at most, and bears that none comes', async () => {
    const setting = new Setting();
    setting.fails = true;
    for (let look = 0; look < 8; look += 1) await setting.look(3);
    expect(setting.lists).toBeGreaterThan(1);
    expect(setting.lists).toBeLessThanOrEqual(4);
  });
});
