import { block, type Directive, set, setPath, unexplained } from './conf-text';

interface VhostOptions {
  /** Base of the hooks' URLs, without a slash at its end. */
  readonly hooksUrl: string;
  readonly hlsDirectory: string;
}

/**
 * Three virtual hosts in one SRS: what is heard over FLV and HLS, and two for WebRTC, so that transcoding touches only what
 * needs it.
 */
export function vhosts(options: VhostOptions): Directive[] {
  return [
    block(
      'vhost __defaultVhost__',
      'What everybody hears: one FFmpeg of the relay a vibe, AAC, out over HTTP-FLV and HLS. No WebRTC here: its transcoding would come before the copies to listeners.',
      [...transport(), security(), hooks(options), httpFlv(), hls(options)],
    ),
    block(
      'vhost whip',
      'Browsers that send. Nothing is transcoded here: the relay fetches their Opus as it is, as plain RTP over loopback, and it becomes a vibe like any other.',
      [
        ...unexplained([...transport(), security(), hooks(options)]),
        block('rtc', '', [
          set('enabled', 'on'),
          set(
            'rtc_to_rtmp',
            'off',
            'As AAC over RTMP it would cost a second encode, and nothing would come for 8 s: until a browser has sent two RTCP reports.',
          ),
          set('rtmp_to_rtc', 'off'),
          ...rtcBasics(),
        ]),
      ],
    ),
    block(
      'vhost whep',
      'Browsers that listen over WebRTC. The relay copies a vibe in here when the first one comes: each stream costs an Opus encoder, with listeners or without.',
      [
        ...unexplained([...transport(), security(), hooks(options)]),
        block('rtc', '', [
          set('enabled', 'on'),
          set('rtmp_to_rtc', 'on'),
          set('opus_bitrate', 160000, 'The default of 48000 is for speech.'),
          set('rtc_to_rtmp', 'off'),
          ...unexplained(rtcBasics()),
        ]),
      ],
    ),
  ];
}

function transport(): Directive[] {
  return [
    set('tcp_nodelay', 'on', 'Small writes leave at once.'),
    set('min_latency', 'on', 'RTMP players get each message as it comes.'),
    block('play', '', [
      set('gop_cache', 'off', 'A new listener starts at what is live now.'),
      set(
        'queue_length',
        10,
        'Seconds. A listener that is further behind loses what it has not fetched. With 3, all lost everything when SRS stood still for 3 s.',
      ),
      set(
        'mw_latency',
        10,
        'SRS looks for what an HTTP-FLV listener has not got once in so many milliseconds. 10 adds 7 ms at the median and 10 at the 99th percentile, 20 adds 14 and 16; 500 listeners take a third of a core with either, for a look that finds nothing costs nothing. Never 0: before 7.0.110 each listener would then take a whole core round and round.',
      ),
      set('mw_msgs', 0, 'RTMP players do not wait for a second message.'),
    ]),
    block('publish', '', [
      set('mr', 'off', 'Reads are not put off to be merged.'),
      set('firstpkt_timeout', 10000, 'An encoder that connects and sends nothing is cut off.'),
      set(
        'normal_timeout',
        5000,
        'So is one that stops. The relay sends silence when there is nothing else.',
      ),
    ]),
  ];
}

function security(): Directive {
  return block(
    'security',
    'All others are refused, even when no hook answers. Proxy and relay come from loopback.',
    [set('enabled', 'on'), set('allow', 'publish 127.0.0.1'), set('allow', 'play 127.0.0.1')],
  );
}

function hooks({ hooksUrl }: VhostOptions): Directive {
  return block(
    'http_hooks',
    'The relay decides who publishes and plays. An address, no name: SRS resolves names with its only thread. While the relay is away, all is refused.',
    [
      set('enabled', 'on'),
      ...['on_publish', 'on_unpublish', 'on_play', 'on_stop'].map((hook) => set(hook, `${hooksUrl}/${hook}`)),
    ],
  );
}

function httpFlv(): Directive {
  return block('http_remux', '', [
    set('enabled', 'on'),
    set('mount', '[vhost]/[app]/[stream].flv'),
    set('fast_cache', 0),
    set('guess_has_av', 'off', 'The header says audio and nothing else, so players do not wait for video.'),
    set('has_audio', 'on'),
    set('has_video', 'off'),
  ]);
}

function hls({ hlsDirectory }: VhostOptions): Directive {
  return block('hls', '', [
    set('enabled', 'on'),
    setPath('hls_path', hlsDirectory, 'Written by the thread that serves listeners: best in memory (tmpfs).'),
    set('hls_m3u8_file', '[app]/[stream].m3u8'),
    set(
      'hls_ts_file',
      '[app]/[stream]-[timestamp]-[seq].ts',
      'Numbers start over with each publish; with the time in it, no cache gives out an old segment.',
    ),
    set('hls_vcodec', 'vn', 'No video, so the segments announce none.'),
    set('hls_acodec', 'aac'),
    set(
      'hls_fragment',
      1.4,
      'Seconds. Audio is cut in steps of 0.72 s and the frame that crosses: segments of 1.5 s.',
    ),
    set('hls_aof_ratio', '1.0', 'Else audio alone is cut only at 2.1 times that.'),
    set('hls_td_ratio', '1.0'),
    set('hls_window', 15, 'Seconds that a playlist reaches back.'),
    set('hls_cleanup', 'on'),
    set('hls_dispose', 30),
    set(
      'hls_ctx',
      'off',
      'No session of a player in its URLs: it would defeat caches, pile up, and guard nothing.',
    ),
    set('hls_ts_ctx', 'off'),
    set(
      'hls_on_error',
      'ignore',
      'A full disk must not end the stream that all others hear: continue does. HLS of a vibe is back when it is published again.',
    ),
  ]);
}

function rtcBasics(): Directive[] {
  return [
    set('nack', 'on', 'Lost packets are asked for again.'),
    set('twcc', 'on'),
    set('stun_timeout', 10, 'Seconds after which a browser that is gone frees its name; the default is 30.'),
  ];
}
