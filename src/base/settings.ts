import { isIP } from 'node:net';
import path from 'node:path';
import type { Config } from './config';

/** What a default or a check may look at besides its own value. */
export interface SettingContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  /** The value of another setting, parsed. */
  value<K extends keyof Config>(key: K): Config[K];
}

export interface Setting<T> {
  /** Name of the environment variable. */
  readonly name: string;
  /** The default as the documentation shows it. */
  readonly shown: string;
  readonly meaning: string;
  readonly secret?: boolean;
  default(context: SettingContext): T;
  /** @throws {Error} whose message completes "NAME …" */
  parse(text: string, context: SettingContext): T;
}

export type Settings = { readonly [K in keyof Omit<Config, 'production'>]: Setting<Config[K]> };

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

function oneOf<T extends string>(...words: T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new Error(`must be ${words.join(' or ')}`);
    return word;
  };
}

function url(...protocols: string[]): (text: string) => string {
  return (text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined;
    if (!parsed || !protocols.includes(parsed.protocol))
      throw new Error(`must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`);
    if (!parsed.hostname || parsed.search || parsed.hash)
      throw new Error('must name a host, and end before any ? or #');
    return text.replace(/\/+$/, '');
  };
}

function notYet<T extends string>(supported: T, later: string, hint: string): (text: string) => T {
  return (text) => {
    if (text === later) throw new Error(`${later} is not available in this version (${hint})`);
    return oneOf(supported)(text);
  };
}

/** Whether Express takes it as the name of proxies: it would throw at what it does not know. */
function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const range = Number(bits ?? 1);
  return family !== 0 && range >= 1 && range <= (family === 6 ? 128 : 32);
}

/** Every setting: name, default, bounds, meaning. The README's table is printed from here. */
export const SETTINGS: Settings = {
  port: {
    name: 'PORT',
    shown: '3001',
    meaning: 'port of the HTTP and WebSocket listener',
    default: () => 3001,
    parse: integer(1, 65535),
  },
  host: {
    name: 'HOST',
    shown: '127.0.0.1',
    meaning: 'address that the HTTP listeners bind to',
    default: () => '127.0.0.1',
    parse: (text) => {
      if (!/^[A-Za-z0-9.:_-]+$/.test(text)) throw new Error('must be an address or a host name');
      return text;
    },
  },
  publicUrl: {
    name: 'PUBLIC_URL',
    shown: 'http://localhost:$PORT',
    meaning: 'base of the API and page URLs handed out',
    default: (context) => `http://localhost:${context.value('port')}`,
    parse: url('http:', 'https:'),
  },
  playbackUrl: {
    name: 'PLAYBACK_URL',
    shown: 'PUBLIC_URL where it was set, else http://localhost:$MEDIA_HTTP_PORT',
    meaning: 'base of the `/live/…` URLs handed out',
    default: (context) =>
      context.env['PUBLIC_URL']
        ? context.value('publicUrl')
        : `http://localhost:${context.value('mediaHttpPort')}`,
    parse: url('http:', 'https:'),
  },
  mediaServer: {
    name: 'MEDIA_SERVER',
    shown: 'embedded',
    meaning: 'what takes RTMP and serves HTTP-FLV and HLS: `embedded` (`srs` is to come)',
    default: () => 'embedded',
    parse: notYet('embedded', 'srs', 'use embedded'),
  },
  rtmpUrl: {
    name: 'RTMP_URL',
    shown: 'rtmp://127.0.0.1:$RTMP_PORT/live',
    meaning: 'where the encoders publish',
    default: (context) => `rtmp://127.0.0.1:${context.value('rtmpPort')}/live`,
    parse: (text, context) => {
      const port = Number(new URL(url('rtmp:')(text)).port || 1935);
      if (port !== context.value('rtmpPort'))
        throw new Error('must name RTMP_PORT: the embedded media server listens there');
      return url('rtmp:')(text);
    },
  },
  rtmpPort: {
    name: 'RTMP_PORT',
    shown: '1935',
    meaning: 'the media server’s RTMP port, on loopback',
    default: () => 1935,
    parse: integer(1, 65535),
  },
  mediaHttpPort: {
    name: 'MEDIA_HTTP_PORT',
    shown: '8080',
    meaning: 'the media server’s HTTP port: HTTP-FLV and HLS',
    default: () => 8080,
    parse: integer(1, 65535),
  },
  mediaApiPort: {
    name: 'MEDIA_API_PORT',
    shown: '1985',
    meaning: 'SRS’s API port; the embedded media server has no API and leaves it closed',
    default: () => 1985,
    parse: integer(1, 65535),
  },
  authMode: {
    name: 'AUTH_MODE',
    shown: 'open (must be asked for by name with NODE_ENV=production)',
    meaning: '`open`: the creator’s name is the claim on a vibe (`token` is to come)',
    default: (context) => {
      if (context.env['NODE_ENV'] === 'production')
        throw new Error('must be set in production; open lets anybody who can reach the relay send audio');
      return 'open';
    },
    parse: notYet('open', 'token', 'use open behind your own access control'),
  },
  holdSeconds: {
    name: 'HOLD_SECONDS',
    shown: '30',
    meaning: 'silence is sent for this long after the creator’s last sample, then the vibe ends',
    default: () => 30,
    parse: integer(1, 86_400),
  },
  maxBufferSeconds: {
    name: 'MAX_BUFFER_SECONDS',
    shown: '30',
    meaning: 'audio held per vibe before the ingest doors push back',
    default: () => 30,
    parse: integer(1, 600),
  },
  maxStreams: {
    name: 'MAX_STREAMS',
    shown: '200',
    meaning: 'vibes at once; the next is refused with 503',
    default: () => 200,
    parse: integer(1, 10_000),
  },
  aacBitrate: {
    name: 'AAC_BITRATE',
    shown: '128k',
    meaning: 'bit rate of the published AAC, 32k to 320k',
    default: () => '128k',
    parse: (text) => {
      const kilobits = Number(/^(\d{2,3})k$/.exec(text)?.[1]);
      if (!(kilobits >= 32 && kilobits <= 320))
        throw new Error('must be a bit rate from 32k to 320k, such as 128k');
      return text;
    },
  },
  aacCoder: {
    name: 'AAC_CODER',
    shown: 'twoloop',
    meaning: 'FFmpeg’s AAC coder: `twoloop` or `fast`; `fast` halves the encoder’s CPU',
    default: () => 'twoloop',
    parse: oneOf('twoloop', 'fast'),
  },
  prebufferMs: {
    name: 'PREBUFFER_MS',
    shown: '60',
    meaning:
      'audio is held this long before a vibe starts, and again after an underrun; `0` plays what is due at once',
    default: () => 60,
    parse: integer(0, 10_000),
  },
  ffmpegPath: {
    name: 'FFMPEG_PATH',
    shown: 'the system’s FFmpeg, else the packaged one',
    meaning: 'the FFmpeg to run, 4.x or newer',
    default: () => undefined,
    parse: (text) => text,
  },
  dataDir: {
    name: 'DATA_DIR',
    shown: './data',
    meaning: 'the only directory that the relay writes to; so far it keeps nothing there',
    default: () => path.resolve('data'),
    parse: (text) => path.resolve(text),
  },
  logLevel: {
    name: 'LOG_LEVEL',
    shown: 'info',
    meaning: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
    default: () => 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  },
  logFormat: {
    name: 'LOG_FORMAT',
    shown: 'pretty on a terminal outside production, else json',
    meaning: '`json` or `pretty`',
    default: (context) =>
      context.isTerminal && context.env['NODE_ENV'] !== 'production' ? 'pretty' : 'json',
    parse: oneOf('json', 'pretty'),
  },
  corsOrigins: {
    name: 'CORS_ORIGINS',
    shown: '*',
    meaning:
      'exact origins, separated by commas, whose pages may call the API and open WebSockets; media is always `*`',
    default: () => '*',
    parse: (text) => {
      if (text.trim() === '*') return '*';
      const origins = text.split(',').map((origin) => origin.trim());
      const wrong = origins.find((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin);
      if (wrong !== undefined)
        throw new Error(`must be * or origins such as https://example.org; ${JSON.stringify(wrong)} is none`);
      return origins;
    },
  },
  trustProxy: {
    name: 'TRUST_PROXY',
    shown: 'loopback',
    meaning: 'Express’s setting: which proxies’ X-Forwarded-For is believed',
    default: () => 'loopback',
    parse: (text) => {
      if (text === 'true')
        throw new Error('must not be true: anybody could then forge an address; name the proxies');
      if (text === 'false') return false;
      if (/^\d+$/.test(text)) return Number(text);
      const wrong = text.split(',').find((proxy) => !isProxy(proxy.trim()));
      if (wrong !== undefined)
        throw new Error(
          `must be false, a number of proxies, or a list of loopback, linklocal, uniquelocal, addresses and networks such as 10.0.0.0/8; ${JSON.stringify(wrong)} is none`,
        );
      return text;
    },
  },
};
