/** A part of the page: what can fail, in which test files, and what the relay promises for it. */
export interface Group {
  readonly title: string;
  /** Test files without their ending, in the order of the page. */
  readonly files: readonly string[];
  /** Markdown. What is measured stands in the table below it; what is promised, here. */
  readonly promise: string;
}

/** In the order of the page. */
export const GROUPS: readonly Group[] = [
  {
    title: 'The encoder',
    files: ['encoder', 'kills', 'encoder-program'],
    promise:
      'What an FFmpeg had read and not yet published when it died is fed to the next one: no sample is lost, and listeners ' +
      'hear the frame of priming that each encoder begins with. Listeners of the embedded server stay connected and hear ' +
      'again within a second; SRS sends them away, and they are let in again at once. Creators notice nothing. An FFmpeg ' +
      'that stands still for three seconds costs nothing: what waited is played when it goes on. One that stands still for ' +
      'good is killed by its watchdog, and one that cannot be started is tried again, ever more seldom, while what creators ' +
      'send is kept.',
  },
  {
    title: 'The media server',
    files: ['media-server', 'late-media-server', 'unreachable', 'network', 'srs'],
    promise:
      'Its death takes every listener’s connection with it. It is started again at once, encoders publish again, and ' +
      'players that connect again hear sound. Standing still for three seconds, or a network that is late, narrow or silent ' +
      'for seconds, costs nothing: everything arrives later. What it had not received when it died is sent again to the next ' +
      'one; of the last 20 ms of the embedded server nobody knows, so an AAC frame may be heard twice. A vibe that starts ' +
      'while there is no media server takes its creator’s audio, and is heard when there is one.',
  },
  {
    title: 'The daemon',
    files: ['daemon'],
    promise:
      'Vibes, their owners, leases and sequence numbers survive `kill -9`: a journal in `DATA_DIR` has them. Creators send ' +
      'again what was not acknowledged, under its numbers, and it is played once.',
  },
  {
    title: 'The creator and the way to the relay',
    files: ['creator', 'silence', 'packets', 'nginx'],
    promise:
      'Numbered chunks are played once and in order, however often and in whichever order they come. While nothing comes, ' +
      'listeners hear silence and stay connected; what comes too slowly is played whole, with silence between. A connection ' +
      'that is half open is superseded by the same creator’s newer one.',
  },
  {
    title: 'Listeners',
    files: ['listener', 'hls'],
    promise:
      'Nobody who listens, or knocks at a port, costs anybody else a sample. Who follows HLS hears what listeners of HTTP-FLV ' +
      'hear, in segments of two seconds; with the embedded server’s death goes the segment that it was making.',
  },
  {
    title: 'Storage and other things that run out',
    files: ['storage', 'resources'],
    promise:
      'A full disk, a directory that is gone, descriptors, memory or cores that are used up: listeners of HTTP-FLV hear no ' +
      'gap, and the API says what is wrong.',
  },
  {
    title: 'The host',
    files: ['host'],
    promise:
      'A daemon that is held up plays on where it was; what was due meanwhile is played later, not thrown away. The time of ' +
      'day may jump: audio does not follow it.',
  },
];
