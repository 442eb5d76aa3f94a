import { isIP } from 'node:net';
import path from 'node:path';
import { AUTH_SETTINGS } from './auth-settings';
import type { Config } from './config';
import { LIMIT_SETTINGS } from './limit-settings';
import { integer, isProxy, oneOf, url } from './setting-parsers';

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

/** The image of the SRS line that `srs.conf` is for. */
const SRS_IMAGE = 'ossrs/srs:v7.0-a0';

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
    meaning: 'what takes RTMP and serves HTTP-FLV and HLS: `embedded` or `srs`',
    default: () => 'embedded',
    parse: oneOf('embedded', 'srs'),
  },
  rtmpUrl: {
    name: 'RTMP_URL',
    shown: 'rtmp://127.0.0.1:$RTMP_PORT/live',
    meaning: 'where the encoders publish',
    default: (context) => `rtmp://127.0.0.1:${context.value('rtmpPort')}/live`,
    parse: (text, context) => {
      const base = url('rtmp:')(text);
      const port = Number(new URL(base).port || 1935);
      if (context.value('mediaServer') === 'embedded' && port !== context.value('rtmpPort'))
        throw new Error('must name RTMP_PORT: the embedded media server listens there');
      return base;
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
  srsDriver: {
    name: 'SRS_DRIVER',
    shown: 'external',
    meaning:
      'how `vibesflow srs run` runs SRS: `binary`, `docker`, or `external` where somebody else does and it is only watched',
    default: () => 'external',
    parse: oneOf('external', 'binary', 'docker'),
  },
  srsBinary: {
    name: 'SRS_BINARY',
    shown: 'none',
    meaning: 'path of the SRS executable; needed with `SRS_DRIVER=binary`',
    default: (context) => {
      if (context.value('srsDriver') === 'binary') throw new Error('must name SRS with SRS_DRIVER=binary');
      return undefined;
    },
    parse: (text) => path.resolve(text),
  },
  srsImage: {
    name: 'SRS_IMAGE',
    shown: SRS_IMAGE,
    meaning: 'the image that `SRS_DRIVER=docker` runs',
    default: () => SRS_IMAGE,
    parse: (text) => {
      if (!/^[a-z0-9][\w./:@-]*$/.test(text)) throw new Error('must be the name of an image');
      return text;
    },
  },
  hookSecret: {
    name: 'HOOK_SECRET',
    shown: 'none: hooks are taken from loopback only',
    meaning:
      'stands in the path of SRS’s hooks, `/hooks/SECRET/on_publish`; with it, SRS may run on another host',
    secret: true,
    default: () => undefined,
    parse: (text) => {
      if (!/^[A-Za-z0-9_-]{16,128}$/.test(text)) throw new Error('must be 16 to 128 letters, digits, - or _');
      return text;
    },
  },
  rtcPort: {
    name: 'RTC_PORT',
    shown: '8000',
    meaning: 'SRS’s WebRTC port, UDP and TCP; the only media port that must be open to the public',
    default: () => 8000,
    parse: integer(1, 65535),
  },
  rtcCandidate: {
    name: 'RTC_CANDIDATE',
    shown: '127.0.0.1',
    meaning: 'the address at which browsers reach SRS’s WebRTC port',
    default: () => '127.0.0.1',
    parse: (text) => {
      if (isIP(text) === 0) throw new Error('must be an IP address');
      return text;
    },
  },
  ...AUTH_SETTINGS,
  holdSeconds: {
    name: 'HOLD_SECONDS',
    shown: '30',
    meaning: 'silence is sent for this long after the creator’s last sample, then the vibe ends',
    default: () => 30,
    parse: integer(1, 86_400),
  },
  leaseSeconds: {
    name: 'LEASE_SECONDS',
    shown: '60',
    meaning:
      'a participant who has not joined again for this long is counted no more; players renew three times in it',
    default: () => 60,
    parse: integer(1, 3_600),
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
  ...LIMIT_SETTINGS,
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
    meaning:
      'FFmpeg’s AAC coder: `twoloop` or `fast`; `fast` takes a quarter to a third less CPU, and spoils loud pure tones',
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
    meaning:
      'the only directory that the relay writes to; SRS’s configuration and HLS are in `srs/` below it',
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
