import { ALLOWED, type HookAction, parseHook } from '../../../src/media-server/srs/hook';
import { StreamHooks } from '../../../src/media-server/srs/stream-hooks';
import { FakeClock } from '../../helpers/fake-clock';

function setUp(mayPlay: boolean | Promise<boolean> = true) {
  const told: string[] = [];
  const hooks = new StreamHooks({
    clock: new FakeClock(),
    mayPlay: (vibeId) => (told.push(`may ${vibeId}`), mayPlay),
    app: 'live',
    publishers: {
      accept: ({ stream }) => (told.push(`accept ${stream}`), ALLOWED),
      gone: ({ clientId }) => (told.push(`gone ${clientId}`), clientId === 'known'),
    },
    players: {
      came: (clientId, vibeId, internal) => void told.push(`came ${clientId} ${vibeId} ${internal}`),
      left: (clientId) => {
        told.push(`left ${clientId}`);
        return undefined;
      },
    },
    knows: (vibeId) => vibeId === 'song',
    isInternal: (query) => query.get('relay') === 'nonce',
  });
  const decide = (action: HookAction, body: Record<string, string> = {}) =>
    hooks.decide(parseHook(action, { client_id: 'c1', app: 'live', stream: 'song', ...body }));
  return { decide, told };
}

describe('the hooks of what is heard', () => {
  it.each(['on_connect', 'on_publish', 'on_play'] as const)('refuse %s in another app', (action) => {
    const { decide, told } = setUp();
    expect(decide(action, { app: 'live2' })).toMatchObject({ reason: 'there are no streams in this app' });
    expect(told).toEqual([]);
  });

  it.each(['on_publish', 'on_play'] as const)('refuse %s where there is no such vibe', (action) => {
    const { decide, told } = setUp();
    for (const stream of ['other', '', '../song', 'song.ng', '__proto__', 'SONG'])
      expect(decide(action, { stream })).toMatchObject({ reason: 'there is no such vibe' });
    expect(told).toEqual([]);
  });

  it('leave a publish to the publishers', () => {
    const { decide, told } = setUp();
    expect(decide('on_publish')).toEqual(ALLOWED);
    expect(told).toEqual(['accept song']);
  });

  it('let everybody play, and know the relay’s own players', () => {
    const { decide, told } = setUp();
    expect(decide('on_play', { stream: 'song.flv' })).toEqual(ALLOWED);
    void decide('on_play', { client_id: 'c2', param: '?relay=nonce' });
    void decide('on_play', { client_id: 'c3', param: '?relay=guessed' });
    expect(told.filter((line) => line.startsWith('came'))).toEqual([
      'came c1 song false',
      'came c2 song true',
      'came c3 song false',
    ]);
  });

  it.each([
    ['let in', true, ['may song', 'came c1 song false']],
    ['turned away', false, ['may song']],
  ])('keep a player waiting who would make the stream under a wrong name: %s', async (_how, may, said) => {
    let decideLater!: (may: boolean) => void;
    const { decide, told } = setUp(new Promise((resolve) => (decideLater = resolve)));
    const verdict = decide('on_play', { stream: 'song.flv' });
    expect(decide('on_play', { client_id: 'c2', param: '?relay=nonce' })).toEqual(ALLOWED);
    expect(told).toEqual(['may song', 'came c2 song true']);
    decideLater(may);
    expect(await verdict).toMatchObject({ allowed: may });
    expect(told.filter((line) => !line.includes('c2'))).toEqual(said);
  });

  it('take the ends of publishes and plays, known or not', () => {
    const { decide, told } = setUp();
    expect(decide('on_unpublish', { client_id: 'known' })).toEqual(ALLOWED);
    expect(decide('on_unpublish', { client_id: 'stale' })).toMatchObject({ allowed: false });
    expect(decide('on_close', { client_id: 'stale', stream: '' })).toEqual(ALLOWED);
    expect(decide('on_stop', { app: 'elsewhere' })).toEqual(ALLOWED);
    expect(told).toEqual(['gone known', 'gone stale', 'gone stale', 'left c1']);
  });
});
