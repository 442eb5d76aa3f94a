import type { PublishEnd } from '../../../src/media-server/media-server';
import type { StreamEntry } from '../../../src/media-server/srs/api';
import { parseHook } from '../../../src/media-server/srs/hook';
import { Publishers } from '../../../src/media-server/srs/publishers';
import { FakeClock } from '../../helpers/fake-clock';
import { silentLogger } from '../../helpers/silent-logger';

/** What a guard was told of one publish. */
interface Begun {
  readonly vibeId: string;
  readonly hear: () => void;
  counts: boolean[];
}

class Setting {
  readonly clock = new FakeClock();
  readonly kicks: string[] = [];
  readonly told: string[] = [];
  readonly ends: PublishEnd[] = [];
  readonly begun: Begun[] = [];
  /** Since when the guard plays. */
  playingSinceMs: number | undefined = 0;
  /** What the guard heard of any publish. */
  aacFrames: number | undefined = 7;
  readonly publishers = new Publishers({
    clock: this.clock,
    logger: silentLogger,
    lookSoon: () => void this.told.push('look'),
    guardOf: (vibeId) => ({
      playingSinceMs: this.playingSinceMs,
      begin: (onAudio) => {
        const begun: Begun = { vibeId, hear: onAudio, counts: [] };
        this.begun.push(begun);
        return { count: async (srsDied) => (begun.counts.push(srsDied), this.aacFrames) };
      },
    }),
    kick: (clientId, reason) => void this.kicks.push(`${clientId} ${reason}`),
    urlOf: (vibeId) => `/live/${vibeId}`,
    vibeIdOf: (url) => /^\/live\/(.+)$/.exec(url)?.[1],
    events: {
      published: ({ vibeId, token }) => void this.told.push(`published ${vibeId} ${token}`),
      freed: (vibeId, cause) => void this.told.push(`freed ${vibeId}: ${cause}`),
      unpublished: (end) => void this.ends.push(end),
      ghost: (vibeId) => void this.told.push(`ghost ${vibeId}`),
    },
  });

  accept(token: string, clientId = 'c1', stream = 'song', service = 'a') {
    const body = { client_id: clientId, stream, param: `?token=${token}`, service_id: service };
    return this.publishers.accept(parseHook('on_publish', body));
  }

  gone(clientId: string, token = '', action: 'on_unpublish' | 'on_close' = 'on_unpublish'): boolean {
    return this.publishers.gone(parseHook(action, { client_id: clientId, param: `?token=${token}` }));
  }

  /** A look at SRS's API, some time after whatever was before. */
  look(...streams: Partial<StreamEntry>[]): void {
    this.clock.advance(1_000);
    const whole = streams.map((stream) => ({
      ...{ url: '/live/song', publishing: true, publisherId: 'c1', hasAudio: true, clients: 1 },
      ...stream,
    }));
    this.publishers.correct(whole, this.clock.nowMs());
  }
}

describe('a publish', () => {
  it('is allowed with its token, and published once its audio was heard', () => {
    const { publishers, told, accept, begun } = bind(new Setting());
    publishers.expect('song', 't1');
    expect(accept('t1')).toEqual({ allowed: true });
    expect(publishers.holderOf('song')).toBe('c1');
    expect(told).toEqual(['look']);
    begun[0]?.hear();
    expect(told).toEqual(['look', 'published song t1']);
    expect(publishers.someUnheard).toBe(false);
  });

  it.each([
    ['another token', 't2', 'wrong token'],
    ['no token', '', 'wrong token'],
    ['a longer one', 't11', 'wrong token'],
  ])('is refused with %s', (_what, token, reason) => {
    const { publishers, accept } = bind(new Setting());
    publishers.expect('song', 't1');
    expect(accept(token)).toEqual({ allowed: false, reason });
    expect(publishers.holderOf('song')).toBeUndefined();
  });

  it('is refused where no encoder was started', () => {
    expect(new Setting().accept('t1')).toMatchObject({ reason: 'no encoder publishes this vibe' });
  });

  it('is refused with a token that was used, also after its end', () => {
    const { publishers, accept, gone } = bind(new Setting());
    publishers.expect('song', 't1');
    accept('t1');
    expect(accept('t1', 'c2')).toMatchObject({ reason: 'the token was used before' });
    gone('c1');
    expect(accept('t1', 'c3')).toMatchObject({ reason: 'the token was used before' });
  });

  it('is refused once a newer life of the encoder is expected, or the vibe is over', () => {
    const { publishers, accept } = bind(new Setting());
    publishers.expect('song', 't1');
    publishers.expect('song', 't2');
    expect(accept('t1')).toMatchObject({ reason: 'wrong token' });
    publishers.forget('song');
    expect(accept('t2')).toMatchObject({ allowed: false });
  });

  it('ends with on_unpublish of its own client, told twice or not', () => {
    const { publishers, accept, gone, told } = bind(new Setting());
    publishers.expect('song', 't1');
    accept('t1');
    expect(gone('somebody-else')).toBe(false);
    expect(gone('c1')).toBe(true);
    expect(gone('c1')).toBe(false);
    expect(told.slice(1)).toEqual(['freed song: on_unpublish']);
    expect(publishers.holderOf('song')).toBeUndefined();
  });

  it('is told of with what the guard counted, once that is known', async () => {
    const setting = new Setting();
    const { publishers, accept, gone, told, ends, begun } = bind(setting);
    publishers.expect('song', 't1');
    accept('t1');
    expect(begun.map(({ vibeId }) => vibeId)).toEqual(['song']);
    gone('c1');
    expect([told.at(-1), ends]).toEqual(['freed song: on_unpublish', []]);
    await Promise.resolve();
    expect([ends, begun[0]?.counts]).toEqual([[{ vibeId: 'song', token: 't1', aacFrames: 7 }], [false]]);
    setting.aacFrames = undefined;
    publishers.expect('song', 't2');
    accept('t2', 'c2');
    publishers.restarted('another');
    await Promise.resolve();
    expect([ends[1], begun[1]?.counts]).toEqual([{ vibeId: 'song', token: 't2' }, [true]]);
  });

  it('is not ended by the late news of its predecessor', () => {
    const { publishers, accept, gone, told, kicks } = bind(new Setting());
    publishers.expect('song', 't1');
    accept('t1', 'old');
    publishers.expect('song', 't2');
    accept('t2', 'new');
    expect(kicks).toEqual(['old superseded']);
    gone('old');
    gone('old', '', 'on_close');
    expect(publishers.holderOf('song')).toBe('new');
    expect(told.filter((line) => line.startsWith('freed'))).toEqual(['freed song: on_unpublish']);
  });

  it('without a client id is known by its token, and gets the id from the API', () => {
    const { publishers, accept, gone, look, told } = bind(new Setting());
    publishers.expect('song', 't1');
    accept('t1', '');
    expect(publishers.holderOf('song')).toBe('');
    look({ publisherId: 'c9' });
    expect(publishers.holderOf('song')).toBe('c9');
    publishers.expect('other', 't2');
    accept('t2', '', 'other');
    gone('', 't2');
    expect(told.at(-1)).toBe('freed other: on_unpublish');
  });
});

describe('the API’s word on a publish', () => {
  it('ends it where it says twice that nobody publishes: a hook was lost', () => {
    const { publishers, accept, look, told, begun } = bind(new Setting());
    publishers.expect('song', 't1');
    accept('t1');
    begun[0]?.hear();
    look({ publishing: false, publisherId: '' });
    look({});
    look();
    expect(publishers.holderOf('song')).toBe('c1');
    look();
    expect(told.at(-1)).toBe('freed song: not in the API');
  });

  it('is not asked for what came after the question', () => {
    const { publishers, accept, clock } = bind(new Setting());
    const askedMs = clock.nowMs();
    clock.advance(10);
    publishers.expect('song', 't1');
    accept('t1');
    for (let look = 0; look < 3; look += 1) publishers.correct([], askedMs);
    expect(publishers.holderOf('song')).toBe('c1');
  });

  it('has it sent away where SRS takes audio for 3 s and hands on none, and says that all of it is lost', () => {
    const { publishers, accept, look, gone, kicks, ends } = bind(new Setting());
    publishers.expect('song', 't1');
    accept('t1');
    for (let seconds = 0; seconds < 3; seconds += 1) look({});
    expect(kicks).toEqual([]);
    look({});
    expect(kicks).toEqual(['c1 unheard']);
    gone('c1');
    expect(ends).toEqual([{ vibeId: 'song', token: 't1', aacFrames: 0 }]);
  });

  it('lets it be while no audio was sent yet, or the guard does not play, or has not for long', () => {
    const setting = new Setting();
    const { publishers, accept, look, kicks, clock } = bind(setting);
    publishers.expect('song', 't1');
    accept('t1');
    for (let seconds = 0; seconds < 10; seconds += 1) look({ hasAudio: false });
    setting.playingSinceMs = undefined;
    for (let seconds = 0; seconds < 10; seconds += 1) look({});
    setting.playingSinceMs = clock.nowMs();
    for (let seconds = 0; seconds < 2; seconds += 1) look({});
    expect(kicks).toEqual([]);
    look({});
    expect(kicks).toEqual(['c1 unheard']);
  });

  it('tells of a ghost once two publishes in a row were allowed and came to nothing', () => {
    const { publishers, accept, look, told } = bind(new Setting());
    for (const token of ['t1', 't2']) {
      publishers.expect('song', token);
      accept(token, `client-of-${token}`);
      look();
      expect(told).not.toContain('ghost song');
      look();
    }
    expect(told.at(-1)).toBe('ghost song');
  });

  it('forgets a ghost when a publish is heard', () => {
    const { publishers, accept, look, gone, told, begun } = bind(new Setting());
    for (const token of ['t1', 't2', 't3']) {
      publishers.expect('song', token);
      accept(token, `client-of-${token}`);
      if (token === 't2') {
        begun[1]?.hear();
        gone('client-of-t2');
        continue;
      }
      look();
      look();
    }
    expect(told).not.toContain('ghost song');
  });
});

describe('publishers that nobody asked about', () => {
  it('are sent away at the first look: an earlier daemon left them', () => {
    const { look, kicks } = bind(new Setting());
    look({ publisherId: 'left' }, { url: 'whip/live/song', publisherId: 'browser' });
    expect(kicks).toEqual(['left stray']);
  });

  it('are sent away later where two looks agree: the first may be older than a hook', () => {
    const { look, kicks } = bind(new Setting());
    look();
    look({ publisherId: 'stray' });
    expect(kicks).toEqual([]);
    look({ publisherId: 'stray' });
    expect(kicks).toEqual(['stray stray']);
  });
});

describe('another SRS', () => {
  it('ends what was published to the one before, and nothing else', () => {
    const { publishers, accept, told } = bind(new Setting());
    publishers.expect('song', 't1');
    accept('t1', 'c1', 'song', 'a');
    publishers.expect('other', 't2');
    accept('t2', 'c2', 'other', 'b');
    publishers.restarted('b');
    expect(told.filter((line) => line.startsWith('freed'))).toEqual(['freed song: SRS restarted']);
    expect(publishers.clientIds).toEqual(['c2']);
  });

  it('is not waited for', () => {
    const { publishers, accept, told } = bind(new Setting());
    publishers.expect('song', 't1');
    accept('t1');
    publishers.giveUp('song');
    expect(told.at(-1)).toBe('freed song: given up');
    expect(publishers.holderOf('song')).toBeUndefined();
  });
});

/** The setting with its methods bound, to be taken apart. */
function bind(setting: Setting) {
  const { clock, publishers, kicks, told, ends, begun } = setting;
  return {
    ...{ clock, publishers, kicks, told, ends, begun },
    accept: setting.accept.bind(setting),
    gone: setting.gone.bind(setting),
    look: setting.look.bind(setting),
  };
}
