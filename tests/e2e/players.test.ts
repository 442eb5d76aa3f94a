import { longPost } from '../helpers/creators';
import type { Daemon } from '../helpers/daemon';
import { eventually } from '../helpers/eventually';
import { httpRequest } from '../helpers/http-request';
import { describeWithEach } from '../helpers/media-servers';
import { music } from '../helpers/music';
import { itNeeds, playWithMpv, playWithVlc, probe, type Played } from '../helpers/players';

const PLAY_SECONDS = 5;
const SONG_SECONDS = 600;

describeWithEach('players that people have', (media) => {
  let daemon: Daemon;
  let sending: Promise<unknown>;
  let urls: string[];

  beforeAll(async () => {
    daemon = await media.start();
    await daemon.startVibe('players');
    // A song that is longer than the suite on the slowest machine, uploaded as fast as the daemon takes it.
    const verse = music(30, 51);
    const song = Buffer.concat(Array.from({ length: SONG_SECONDS / 30 }, () => verse));
    sending = longPost({ contentType: 'audio/pcm', unpaced: true })(daemon.target('players'), song, {
      chunkMs: 100,
    });
    sending.catch(() => undefined);
    urls = [daemon.flvUrl('players'), daemon.hlsUrl('players')];
    await eventually(
      'the playlist is there',
      async () => (await httpRequest(daemon.hlsUrl('players'))).status === 200,
    );
  });
  afterAll(async () => {
    await daemon?.endVibe('players', { drain: false });
    await sending?.catch(() => undefined);
    await daemon?.stop();
  });

  itNeeds('ffprobe')(
    'ffprobe says AAC-LC, 48 kHz, stereo, and no video, of HTTP-FLV and of HLS',
    async () => {
      for (const streams of await Promise.all(urls.map(probe))) {
        expect(streams).toHaveLength(1);
        expect(streams[0]).toMatchObject({
          codec_type: 'audio',
          codec_name: 'aac',
          profile: 'LC',
          sample_rate: '48000',
          channels: 2,
        });
      }
    },
    150_000,
  );

  itNeeds('mpv')(
    'mpv --no-video plays HTTP-FLV and HLS',
    async () => {
      for (const played of await Promise.all(urls.map((url) => playWithMpv(url, PLAY_SECONDS))))
        expectSound(played);
    },
    150_000,
  );

  itNeeds('cvlc')(
    'VLC plays HTTP-FLV and HLS',
    async () => {
      for (const played of await Promise.all(urls.map((url) => playWithVlc(url, PLAY_SECONDS))))
        expectSound(played);
    },
    150_000,
  );
});

function expectSound(played: Played): void {
  console.info(`${played.seconds.toFixed(2)} s, peak ${played.peak.toFixed(2)}`);
  expect(played).toMatchObject({ sampleRate: 48_000, channels: 2 });
  expect(played.seconds).toBeGreaterThan(PLAY_SECONDS * 0.95);
  expect(played.peak).toBeGreaterThan(0.05);
}
