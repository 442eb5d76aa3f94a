import { isWithin, type Span, type SrsVersion } from '../srs/lines';

/** A fault of SRS that touches the relay. */
export interface KnownBug {
  /** What it is called in the log and by `vibesflow srs status`. */
  readonly id: string;
  readonly what: string;
  /** What the relay, its configuration or an operator does about it. */
  readonly remedy: string;
  readonly in: readonly Span[];
}

/**
 * Found in the sources of 5.0.216, 6.0.157 and 7.0.18, and in what upstream says of later releases (the numbers are
 * those of ossrs/srs). A span without an end has no fix that we know of.
 */
export const KNOWN_BUGS: readonly KnownBug[] = [
  {
    id: 'publish-without-data',
    what: 'a publish can succeed and nobody gets its data: the stream is swept away while the hook is being answered (#4268, #4656)',
    remedy: 'the relay answers hooks at once, listens to each publish itself, and publishes again',
    in: [
      { since: '6.0.130', until: '7.0.151' },
      { since: '8.0.0', until: '8.0.5' },
    ],
  },
  {
    id: 'busy-for-ever',
    what: 'after a publish that failed half-way its name stays busy until SRS is restarted (#4210, #4480)',
    remedy: 'the relay leaves time between two publishes; restart SRS when it says that a name is stuck',
    in: [{ since: '6.0.0', until: '8.0.10' }],
  },
  {
    id: 'slow-unmount',
    what: 'streams that end together are taken down one after another, each waiting for its listeners, and cannot be published meanwhile',
    remedy: 'the relay starts encoders one after another, and tries again',
    in: [{ since: '6.0.0' }],
  },
  {
    id: 'stale-hls',
    what: 'playlists and segments stay behind when a stream ends (#4618)',
    remedy: 'segments have the time in their names, and the supervisor clears them away before SRS starts',
    in: [
      { since: '6.0.0', until: '6.0.173' },
      { since: '7.0.0', until: '7.0.137' },
    ],
  },
  {
    id: 'webrtc-crashes',
    what: 'SRS can crash on WebRTC (#4451, #4491, #4495)',
    remedy: 'the supervisor starts it again; update it where WHIP or WHEP are open to strangers',
    in: [
      { since: '5.0.0', until: '6.0.178' },
      { since: '7.0.0', until: '7.0.63' },
    ],
  },
];

/** The faults that a release has. */
export function knownBugs(version: SrsVersion): readonly KnownBug[] {
  return KNOWN_BUGS.filter((bug) => bug.in.some((span) => isWithin(version, span)));
}
