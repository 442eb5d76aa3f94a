import type { ClientEntry } from '../../../src/media-server/srs/api';
import { Players } from '../../../src/media-server/srs/players';

function setUp() {
  const told: string[] = [];
  const players = new Players((vibeId, listeners) => void told.push(`${vibeId} ${listeners}`));
  return { players, told };
}

const vibeIdOf = (url: string): string | undefined => /^\/live\/(.+)$/.exec(url)?.[1];
const client = (id: string, url = '/live/song', publishing = false): ClientEntry => ({ id, url, publishing });

describe('the players', () => {
  it('are counted as they come and go', () => {
    const { players, told } = setUp();
    players.came('a', 'song', false, 0);
    players.came('b', 'song', false, 0);
    players.left('a', 1);
    expect(told).toEqual(['song 1', 'song 2', 'song 1']);
    expect(players.listeners('song')).toBe(1);
  });

  it('are counted once, however often SRS tells', () => {
    const { players, told } = setUp();
    players.came('a', 'song', false, 0);
    players.came('a', 'song', false, 1);
    players.left('a', 2);
    players.left('a', 3);
    players.left('stranger', 4);
    expect(told).toEqual(['song 1', 'song 0']);
  });

  it('without an id are not counted, and take nobody with them', () => {
    const { players } = setUp();
    players.came('a', 'song', false, 0);
    players.came('', 'song', false, 0);
    players.left('', 1);
    expect(players.listeners('song')).toBe(1);
  });

  it('that are the relay’s own are connections and no listeners', () => {
    const { players, told } = setUp();
    players.came('guard', 'song', true, 0);
    expect([players.listeners('song'), players.connections('song'), told]).toEqual([0, 1, []]);
    expect([players.idsOf('song'), players.vibeIds()]).toEqual([[], ['song']]);
  });

  it('are remembered for a while after the last one left', () => {
    const { players } = setUp();
    players.came('a', 'song', false, 100);
    players.came('guard', 'song', true, 100);
    players.left('a', 200);
    expect([players.wasHeardSince('song', 150), players.wasHeardSince('song', 250)]).toEqual([true, false]);
    players.forget('song');
    expect(players.wasHeardSince('song', 150)).toBe(false);
  });

  it('are corrected by SRS’s own list where hooks were lost', () => {
    const { players } = setUp();
    players.came('gone', 'song', false, 0);
    const clients = [client('new'), client('p', '/live/song', true), client('x', 'whip/live/song')];
    expect(players.correct(clients, 10, 11, vibeIdOf)).toBe(2);
    expect(players.idsOf('song')).toEqual(['new']);
  });

  it('stay as the hooks had it where they came or left after SRS was asked', () => {
    const { players } = setUp();
    players.came('left', 'song', false, 0);
    players.came('just', 'song', false, 20);
    players.left('left', 21);
    expect(players.correct([client('left')], 10, 22, vibeIdOf)).toBe(0);
    expect(players.idsOf('song')).toEqual(['just']);
    expect(players.correct([client('just')], 30, 31, vibeIdOf)).toBe(0);
  });

  it('are all gone with their SRS', () => {
    const { players, told } = setUp();
    players.came('a', 'song', false, 0);
    players.came('b', 'other', false, 0);
    players.clear(5);
    expect(told.slice(2)).toEqual(['song 0', 'other 0']);
    expect(players.vibeIds()).toEqual([]);
  });
});
