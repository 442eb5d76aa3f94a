import { parseHook } from '../../../src/media-server/srs/hook';

/** What each line sends of a publish, as its documentation and its log show it. */
const BODIES: Readonly<Record<string, Record<string, unknown>>> = {
  'SRS 5': {
    server_id: 'vid-k21d7y2',
    action: 'on_publish',
    client_id: '9308h583',
    ip: '192.168.1.10',
    vhost: '__defaultVhost__',
    app: 'live',
    stream: 'livestream',
    param: '?token=xxx&salt=yyy',
    stream_url: '/live/livestream',
    stream_id: 'vid-124q9y3',
  },
  'SRS 6': {
    server_id: 'vid-0xk989d',
    service_id: '382k2p3c',
    action: 'on_publish',
    client_id: '341w361a',
    ip: '127.0.0.1',
    vhost: '__defaultVhost__',
    app: 'live',
    tcUrl: 'rtmp://127.0.0.1:1935/live?vhost=__defaultVhost__',
    stream: 'livestream',
    param: '?token=xxx&salt=yyy',
    stream_url: 'video.test.com/live/livestream',
    stream_id: 'vid-124q9y3',
  },
  'SRS 7': {
    server_id: 'vid-0xk989d',
    service_id: '382k2p3c',
    action: 'on_publish',
    client_id: '341w361a',
    ip: '127.0.0.1',
    vhost: '__defaultVhost__',
    app: 'live',
    tcUrl: 'rtmp://127.0.0.1:1935/live',
    stream: 'livestream',
    param: '?token=xxx&salt=yyy',
    stream_url: '/live/livestream',
    stream_id: 'vid-124q9y3',
    clients: 4,
  },
};

describe('a hook', () => {
  it.each(Object.entries(BODIES))('is read as %s sends it', (_line, body) => {
    const hook = parseHook('on_publish', body);
    expect(hook).toMatchObject({ action: 'on_publish', clientId: body['client_id'], app: 'live' });
    expect(hook).toMatchObject({ vhost: '__defaultVhost__', stream: 'livestream' });
    expect(hook.query.get('token')).toBe('xxx');
    expect(hook.serviceId).toBe(body['service_id'] ?? '');
  });

  it('has its query with and without the question mark: WebRTC sends none', () => {
    expect(parseHook('on_publish', { param: 'app=live&stream=a&token=t' }).query.get('token')).toBe('t');
  });

  it.each([
    ['song.flv', 'song'],
    ['song.m3u8', 'song'],
    ['song', 'song'],
    ['so.flv.ng', 'so.flv.ng'],
  ])('names the stream %s without the file’s suffix', (stream, expected) => {
    expect(parseHook('on_play', { stream }).stream).toBe(expected);
  });

  it('may leave out anything', () => {
    expect(parseHook('on_close', {})).toMatchObject({ clientId: '', vhost: '', app: '', stream: '' });
    expect(parseHook('on_stop', { client_id: null }).clientId).toBe('');
  });

  it('of old versions has numbers for ids', () => {
    expect(parseHook('on_stop', { client_id: 1985 }).clientId).toBe('1985');
  });

  it.each([undefined, null, 'on_play', 3, [], [{}]])('is never %j', (body) => {
    expect(() => parseHook('on_play', body)).toThrow('must be an object');
  });

  it('is not taken at another hook’s door', () => {
    expect(() => parseHook('on_play', { action: 'on_stop' })).toThrow('must be on_play');
  });

  it('is no place for objects or endless texts', () => {
    expect(() => parseHook('on_play', { stream: {} })).toThrow('stream: must be a string');
    expect(() => parseHook('on_play', { param: 'x'.repeat(4_097) })).toThrow('must not be longer');
  });
});
