interface SdpShape {
  readonly direction?: string | undefined;
  readonly mid?: string | undefined;
  /** What the bundle names. */
  readonly group?: string | undefined;
  /** Parameters of Opus. */
  readonly fmtp?: string | undefined;
  /** Lines of other media, before and after the audio. */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  /** More lines of the audio. */
  readonly extra?: readonly string[];
}

/** An SDP as a browser or SRS writes it: Opus and RED, sent unless told otherwise. */
export function sdp(shape: SdpShape = {}): string {
  const {
    direction,
    mid,
    group,
    fmtp,
    before = [],
    after = [],
    extra = [],
  } = {
    direction: 'sendonly',
    mid: '0',
    group: '0',
    fmtp: 'minptime=10;useinbandfec=1',
    ...shape,
  };
  return [
    ...['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0'],
    ...(group === undefined ? [] : [`a=group:BUNDLE ${group}`]),
    ...before,
    ...['m=audio 9 UDP/TLS/RTP/SAVPF 111 63', 'c=IN IP4 0.0.0.0'],
    ...['a=ice-ufrag:abcd', 'a=ice-pwd:secretsecretsecretsecret', 'a=fingerprint:sha-256 AA:BB'],
    'a=setup:actpass',
    ...(mid === undefined ? [] : [`a=mid:${mid}`]),
    ...(direction === undefined ? [] : [`a=${direction}`]),
    ...['a=rtcp-mux', 'a=rtpmap:111 opus/48000/2'],
    ...(fmtp === undefined ? [] : [`a=fmtp:111 ${fmtp}`]),
    ...['a=rtpmap:63 red/48000/2', 'a=fmtp:63 111/111', ...extra],
    ...after,
    '',
  ].join('\r\n');
}
