import { Problem } from '../../base/errors';

/** SRS's callbacks that the relay takes. */
export const HOOK_ACTIONS = [
  'on_connect',
  'on_close',
  'on_publish',
  'on_unpublish',
  'on_play',
  'on_stop',
] as const;

export type HookAction = (typeof HOOK_ACTIONS)[number];

/** One callback of SRS, its members checked and named our way. What SRS left out is the empty string. */
export interface Hook {
  readonly action: HookAction;
  /** Names the connection in later hooks and in SRS's API. May be empty: SRS has been seen to send none. */
  readonly clientId: string;
  /** New with every start of SRS. */
  readonly serviceId: string;
  readonly vhost: string;
  readonly app: string;
  /** Without the suffix of the file that a player asked for. */
  readonly stream: string;
  /** What stood behind the `?` of the publish or play URL. */
  readonly query: URLSearchParams;
}

/** What becomes of a hook. A refusal has a reason, for the log: SRS shows the client none. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

export const ALLOWED: Verdict = { allowed: true };

export function refused(reason: string): Verdict {
  return { allowed: false, reason };
}

/** The vhost of whoever names none. */
export const DEFAULT_VHOST = '__defaultVhost__';
/** No member that is looked at is longer in earnest; RTMP URLs and queries fit well within. */
const MAX_MEMBER_LENGTH = 4_096;
const FILE_SUFFIX = /\.(flv|m3u8)$/;

/**
 * Reads the body of a callback. Members that are not looked at, and new ones of later versions, are let be.
 * @throws {Problem} `invalid-field` (400) where it is no callback of this action
 */
export function parseHook(action: HookAction, body: unknown): Hook {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Problem('invalid-field', 'the body: must be an object.');
  const members = body as Readonly<Record<string, unknown>>;
  const named = text(members, 'action');
  if (named !== '' && named !== action)
    throw new Problem('invalid-field', `action: must be ${action} at this door.`);
  return {
    action,
    clientId: text(members, 'client_id'),
    serviceId: text(members, 'service_id'),
    vhost: text(members, 'vhost'),
    app: text(members, 'app'),
    stream: text(members, 'stream').replace(FILE_SUFFIX, ''),
    // RTMP and HTTP-FLV send the question mark along, WebRTC does not.
    query: new URLSearchParams(text(members, 'param').replace(/^\?/, '')),
  };
}

function text(members: Readonly<Record<string, unknown>>, name: string): string {
  const value = members[name] ?? '';
  // Ids were numbers before SRS 4.
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') throw new Problem('invalid-field', `${name}: must be a string.`);
  if (value.length > MAX_MEMBER_LENGTH)
    throw new Problem('invalid-field', `${name}: must not be longer than ${MAX_MEMBER_LENGTH} characters.`);
  return value;
}
