import { Urls } from '../../src/http/urls';

describe('the URLs handed out', () => {
  it('have the bases of the configuration', () => {
    const urls = new Urls({
      publicUrl: 'https://relay.test/base',
      playbackUrl: 'https://media.test',
      rtmpUrl: 'rtmp://127.0.0.1:1935/live',
    });
    expect([urls.streaming('v'), urls.hls('v'), urls.rtmp('v'), urls.listen('v'), urls.join('v')]).toEqual([
      'https://media.test/live/v.flv',
      'https://media.test/live/v.m3u8',
      'rtmp://127.0.0.1:1935/live/v',
      'https://relay.test/base/listen/v',
      'https://relay.test/base/stream/v/join',
    ]);
  });
});
