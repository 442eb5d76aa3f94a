import { integer } from './setting-parsers';
import type { Setting } from './settings';

type Limit =
  | 'maxCpuPercent'
  | 'minFreeMemoryMb'
  | 'maxRequestsPerMinute'
  | 'maxConnectionsPerAddress'
  | 'maxFailedLogins';

/** What the relay lets one address do, and when it has no room for more. Generous: who runs into one means no good. */
export const LIMIT_SETTINGS: Readonly<Record<Limit, Setting<number>>> = {
  maxCpuPercent: {
    name: 'MAX_CPU_PERCENT',
    shown: '95',
    meaning:
      'no vibe is started (503) while all cores together were busier than this for 20 s, half of it with the relay’s own work; `100` looks at no processor',
    default: () => 95,
    parse: integer(1, 100),
  },
  minFreeMemoryMb: {
    name: 'MIN_FREE_MEMORY_MB',
    shown: '128',
    meaning: 'no vibe is started (503) while less memory is free; an encoder takes about 55 MB',
    default: () => 128,
    parse: integer(0, 1_000_000),
  },
  maxRequestsPerMinute: {
    name: 'MAX_REQUESTS_PER_MINUTE',
    shown: '3000',
    meaning:
      'control calls and pages for one address a minute, then 429; audio, health and metrics do not count. As with the two below, an IPv6 network of 56 bits is one address, and this machine itself is not limited',
    default: () => 3_000,
    parse: integer(1, 1_000_000),
  },
  maxConnectionsPerAddress: {
    name: 'MAX_CONNECTIONS_PER_ADDRESS',
    shown: '256',
    meaning: 'WebSockets and uploads under way of one address, then 429',
    default: () => 256,
    parse: integer(1, 100_000),
  },
  maxFailedLogins: {
    name: 'MAX_FAILED_LOGINS',
    shown: '20',
    meaning: 'wrong tokens and owner keys of one address a minute, then 429 for each wrong one',
    default: () => 20,
    parse: integer(1, 100_000),
  },
};
