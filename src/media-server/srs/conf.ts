import { isIPv4 } from 'node:net';
import path from 'node:path';
import type { Config } from '../../base/config';
import { EXIT_CONFIG, OperatorError } from '../../base/errors';
import { block, comment, confText, type Directive, set, setPath } from './conf-text';
import { vhosts } from './conf-vhosts';
import { sameDialect, type SrsVersion, versionText } from './lines';

/** What a configuration of SRS is made from. */
export interface SrsConfOptions {
  /** The release that reads it: what one takes, another refuses to start with. */
  readonly version: SrsVersion;
  readonly rtmpPort: number;
  readonly httpPort: number;
  readonly apiPort: number;
  readonly rtcPort: number;
  readonly rtcCandidate: string;
  /** Base of the hooks' URLs, without a slash at its end; holds the secret, where there is one. */
  readonly hooksUrl: string;
  /** Where SRS may write: its pid file and the segments of HLS. */
  readonly directory: string;
}

/**
 * So many connections at once. One core serves about 1500 listeners of HTTP-FLV at the latency below (500 took 0.35 of
 * one), and SRS has one thread; twice that leaves room for HLS, the API, and listeners that all come back together.
 */
export const MAX_CONNECTIONS = 3_000;
/** SRS does not start unless it may open so many files more than it takes connections. */
export const RESERVED_FILES = 128;

/** Names of this machine. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** @returns the pid file below the directory that SRS may write to */
export function pidFile(directory: string): string {
  return path.join(directory, 'srs.pid');
}

/** @returns where the segments of HLS are written, and served from */
export function hlsDirectory(directory: string): string {
  return path.join(directory, 'hls');
}

/**
 * The settings that the daemon itself runs with, as SRS needs them.
 * @param directory where SRS may write
 * @throws {OperatorError} 78 where HOST is nothing that SRS can call, or RTMP_URL names another machine
 */
export function srsConfOptions(config: Config, version: SrsVersion, directory: string): SrsConfOptions {
  const { hostname } = new URL(config.rtmpUrl);
  if (!LOOPBACK.test(hostname))
    throw new OperatorError(
      `RTMP_URL names ${hostname}, and this is the configuration of an SRS beside the relay: it listens on loopback alone`,
      EXIT_CONFIG,
    );
  const secret = config.hookSecret === undefined ? '' : `/${config.hookSecret}`;
  return {
    version,
    rtmpPort: config.rtmpPort,
    httpPort: config.mediaHttpPort,
    apiPort: config.mediaApiPort,
    rtcPort: config.rtcPort,
    rtcCandidate: config.rtcCandidate,
    hooksUrl: `http://${hookHost(config.host)}:${config.port}/hooks${secret}`,
    directory,
  };
}

/** SRS resolves names with its only thread at a stand, so it is given an address. */
function hookHost(host: string): string {
  if (['localhost', '0.0.0.0', '::'].includes(host)) return '127.0.0.1';
  if (isIPv4(host)) return host;
  throw new OperatorError(
    `HOST must be an IPv4 address (or localhost or ::) for SRS to call its hooks there, not ${host}`,
    EXIT_CONFIG,
  );
}

/**
 * The configuration of SRS for a relay on the same machine, with a reason for each line.
 * @throws {Error} for a directory whose name cannot be written in it
 */
export function srsConf(options: SrsConfOptions): string {
  const { version } = options;
  const head = [
    `SRS ${versionText(version)} (${sameDialect(version)}): printed by "vibesflow srs conf --for ${versionText(version)}" from the relay's settings.`,
    'Change those and print it again. Configurations do not carry over between the lines of SRS: it refuses to start with a directive that it does not know.',
    'Start it by "vibesflow srs run", which writes the right one for the SRS that it finds.',
  ];
  const body = [
    ...processPart(options),
    ...listeners(options),
    ...vhosts({ hooksUrl: options.hooksUrl, hlsDirectory: hlsDirectory(options.directory) }),
  ];
  return `${head.flatMap((line) => comment(line)).join('\n')}\n${confText(body, version)}\n`;
}

function processPart({ directory }: SrsConfOptions): Directive[] {
  return [
    set('daemon', 'off', 'Stays in the foreground, a child of its supervisor.'),
    setPath(
      'pid',
      pidFile(directory),
      'Locked while SRS runs. Its own file for each SRS: two may listen on the same port without a word, and share its connections.',
    ),
    set(
      'max_connections',
      MAX_CONNECTIONS,
      `RTMP, HTTP and API together; a thread at mw_latency 10 is full at about half of it. Needs ulimit -n above ${MAX_CONNECTIONS + RESERVED_FILES}.`,
    ),
    set('srs_log_tank', 'console', 'The supervisor reads the log, and leaves out secrets.'),
    set(
      'srs_log_level',
      'warn',
      'One step more and every hook and request is written down, with the tokens in their URLs.',
    ),
    set('utc_time', 'on', 'Times in the log as everywhere else in the relay.'),
    set('inotify_auto_reload', 'off', 'A half-written file is not to be read. Restart SRS instead.'),
    set('auto_reload_for_docker', 'off'),
    set('query_latest_version', 'off', 'Tells nobody outside that it runs, nor what.'),
    block('stats', 'The first network device; the heartbeat that would send these is off unless asked for.', [
      set('network', 0),
    ]),
  ];
}

function listeners({
  rtmpPort,
  httpPort,
  apiPort,
  rtcPort,
  rtcCandidate,
  directory,
}: SrsConfOptions): Directive[] {
  const loopback = (port: number): string => `127.0.0.1:${port}`;
  const rtmpWhy = 'Only the relay publishes, and it lives on this machine.';
  return [
    set('listen', loopback(rtmpPort), rtmpWhy),
    set('chunk_size', 60000),
    block('rtmp', rtmpWhy, [set('listen', loopback(rtmpPort)), set('chunk_size', 60000)]),
    block(
      'http_api',
      'It lists clients and can kick them, and anybody who reaches it may: loopback, and no page of another origin.',
      [
        set('enabled', 'on'),
        set('listen', loopback(apiPort)),
        set('crossdomain', 'off'),
        block('raw_api', '', [set('enabled', 'off')]),
      ],
    ),
    block('http_server', 'HTTP-FLV and HLS. The public comes through a proxy with TLS.', [
      set('enabled', 'on'),
      set('listen', loopback(httpPort)),
      setPath(
        'dir',
        hlsDirectory(directory),
        'All that lies in here is served: the segments of HLS, nothing else.',
      ),
      set('crossdomain', 'on', 'Media may be played by any page.'),
    ]),
    block(
      'rtc_server',
      'WebRTC. These ports take a number and no address, so they are open on all addresses; a session needs the offer and answer that only the relay passes on.',
      [
        set('enabled', 'on'),
        set('listen', rtcPort),
        set(
          'candidate',
          rtcCandidate,
          'Where browsers find it; nothing is found out by itself, which goes wrong behind NAT.',
        ),
        set('protocol', 'all', 'UDP, and TCP for networks that let no UDP through.'),
        block('tcp', '', [set('enabled', 'on'), set('listen', rtcPort)]),
        set(
          'api_as_candidates',
          'off',
          'Else each request has its Host header resolved, with all media at a stand meanwhile.',
        ),
        set('resolve_api_domain', 'off'),
      ],
    ),
    block('srt_server', 'Nobody publishes over it, and its library has had its holes.', [
      set('enabled', 'off'),
    ]),
    block(
      'exporter',
      'Would open the whole API on a second port. The relay’s own /metrics has what counts.',
      [set('enabled', 'off')],
    ),
  ];
}
