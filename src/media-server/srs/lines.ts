/** A release of SRS, as `srs -v` prints it. */
export interface SrsVersion {
  readonly major: number;
  readonly minor: number;
  readonly revision: number;
}

/** The lines that a configuration can be printed for, and the release of each that it was tried with. */
export const TRIED: ReadonlyMap<string, string> = new Map([
  ['5', '5.0.216'],
  ['6', '6.0.157'],
  ['7', '7.0.18'],
]);

/** The newest line whose directives are known; later than its newest line nothing was looked at. */
const NEWEST_MAJOR = 8;
const OLDEST_MAJOR = 5;

/** Which releases take a directive: from `since` on, and no longer from `until` on. */
export interface Span {
  readonly since?: string;
  readonly until?: string;
}

/** The RTMP listener got a block of its own (upstream pull request 4454). */
const RTMP_BLOCK = '7.0.64';
/** Codecs of HLS are found out by SRS itself, and may no longer be said (upstream pull request 4225). */
const HLS_CODECS_FOUND_OUT = '7.0.53';

const ALL: Span = {};

/**
 * Every directive of our configuration, by its path, with the releases that take it. SRS does not start with one that it does
 * not know, so each was looked up in the checks that 5.0.216, 6.0.157, 7.0.18 and a release past 7.0.64 make at their start.
 */
export const DIRECTIVES: Readonly<Record<string, Span>> = {
  listen: { until: RTMP_BLOCK },
  chunk_size: { until: RTMP_BLOCK },
  rtmp: { since: RTMP_BLOCK },
  'rtmp.listen': { since: RTMP_BLOCK },
  'rtmp.chunk_size': { since: RTMP_BLOCK },
  ...spans(['daemon', 'pid', 'max_connections', 'srs_log_tank', 'srs_log_level', 'utc_time']),
  ...spans(['inotify_auto_reload', 'auto_reload_for_docker', 'query_latest_version']),
  ...block('stats', ['network']),
  ...block('http_api', ['enabled', 'listen', 'crossdomain', 'raw_api']),
  ...block('http_api.raw_api', ['enabled']),
  ...block('http_server', ['enabled', 'listen', 'dir', 'crossdomain']),
  ...block('srt_server', ['enabled']),
  ...block('exporter', ['enabled']),
  ...block('rtc_server', ['enabled', 'listen', 'candidate', 'protocol', 'api_as_candidates']),
  ...block('rtc_server', ['resolve_api_domain', 'tcp']),
  ...block('rtc_server.tcp', ['enabled', 'listen']),
  ...block('vhost', ['tcp_nodelay', 'min_latency']),
  ...block('vhost.play', ['gop_cache', 'queue_length', 'mw_latency', 'mw_msgs']),
  ...block('vhost.publish', ['mr', 'firstpkt_timeout', 'normal_timeout']),
  ...block('vhost.security', ['enabled', 'allow']),
  ...block('vhost.http_hooks', ['enabled', 'on_publish', 'on_unpublish', 'on_play', 'on_stop']),
  ...block('vhost.http_remux', ['enabled', 'mount', 'fast_cache', 'guess_has_av', 'has_audio', 'has_video']),
  ...block('vhost.hls', [
    'enabled',
    'hls_path',
    'hls_m3u8_file',
    'hls_ts_file',
    'hls_fragment',
    'hls_window',
  ]),
  ...block('vhost.hls', ['hls_aof_ratio', 'hls_td_ratio', 'hls_ctx', 'hls_ts_ctx', 'hls_on_error']),
  ...block('vhost.hls', ['hls_cleanup', 'hls_dispose']),
  'vhost.hls.hls_acodec': { until: HLS_CODECS_FOUND_OUT },
  'vhost.hls.hls_vcodec': { until: HLS_CODECS_FOUND_OUT },
  ...block('vhost.rtc', ['enabled', 'rtmp_to_rtc', 'rtc_to_rtmp', 'opus_bitrate']),
  ...block('vhost.rtc', ['nack', 'twcc', 'stun_timeout']),
};

/** @returns the release, or `undefined` where the text is none, such as `7` or `v1` */
export function parseSrsVersion(text: string): SrsVersion | undefined {
  const [, major, minor, revision] = /^v?(\d{1,3})\.(\d{1,3})\.(\d{1,5})$/.exec(text.trim()) ?? [];
  if (major === undefined) return undefined;
  return { major: Number(major), minor: Number(minor), revision: Number(revision) };
}

/**
 * The release that a configuration is asked for.
 * @param text a line (`5`, `6`, `7`: the release of it that was tried) or a release (`7.0.162`)
 * @throws {Error} whose message completes "It …", for what is neither, or older or newer than what is known
 */
export function versionFor(text: string): SrsVersion {
  const version = parseSrsVersion(TRIED.get(text) ?? text);
  if (!version) throw new Error('must be 5, 6, 7 or a release such as 7.0.18');
  if (version.major < OLDEST_MAJOR) throw new Error('must be 5 or newer');
  if (!isKnown(version)) throw new Error(`must be at most ${NEWEST_MAJOR}: later lines are not known yet`);
  return version;
}

/** Whether the directives of this release are known. */
export function isKnown({ major }: SrsVersion): boolean {
  return major >= OLDEST_MAJOR && major <= NEWEST_MAJOR;
}

export function versionText({ major, minor, revision }: SrsVersion): string {
  return `${major}.${minor}.${revision}`;
}

/** Negative where `a` is older than `b`, 0 where they are the same. */
export function compareVersions(a: SrsVersion, b: SrsVersion): number {
  return a.major - b.major || a.minor - b.minor || a.revision - b.revision;
}

/** Whether a release lies in a span. */
export function isWithin(version: SrsVersion, { since, until }: Span): boolean {
  return (
    (since === undefined || compareVersions(version, known(since)) >= 0) &&
    (until === undefined || compareVersions(version, known(until)) < 0)
  );
}

/**
 * Whether a release takes a directive.
 * @throws {Error} for a directive that nobody looked up
 */
export function takes(version: SrsVersion, path: string): boolean {
  const span = DIRECTIVES[path];
  if (!span) throw new Error(`${path} is not in the table of directives`);
  return isWithin(version, span);
}

/** The releases of the same line that take the same configuration, in words: `7.0.0 to 7.0.52`, `7.0.64 and newer`. */
export function sameDialect(version: SrsVersion): string {
  const turns = new Set(
    Object.values(DIRECTIVES).flatMap(({ since, until }) =>
      [since, until].filter((text) => text !== undefined),
    ),
  );
  const ofLine = [...turns].map(known).filter(({ major }) => major === version.major);
  const from = ofLine
    .filter((turn) => compareVersions(turn, version) <= 0)
    .sort(compareVersions)
    .at(-1);
  const until = ofLine.filter((turn) => compareVersions(turn, version) > 0).sort(compareVersions)[0];
  if (!from && !until) return `${version.major}.x`;
  const first = versionText(from ?? { major: version.major, minor: 0, revision: 0 });
  return until
    ? `${first} to ${versionText({ ...until, revision: until.revision - 1 })}`
    : `${first} and newer`;
}

function known(text: string): SrsVersion {
  const version = parseSrsVersion(text);
  if (!version) throw new Error(`${text} is no release`);
  return version;
}

function spans(paths: readonly string[]): Record<string, Span> {
  return Object.fromEntries(paths.map((path) => [path, ALL]));
}

function block(path: string, names: readonly string[]): Record<string, Span> {
  return spans([path, ...names.map((name) => `${path}.${name}`)]);
}
