import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { EXIT_CONFIG, OperatorError } from './errors';
import type { LogLevel } from './logger';
import { type Setting, type SettingContext, type Settings, SETTINGS } from './settings';

/** The daemon's settings, checked and complete. Lengths of time are in the unit that the name says. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string;
  readonly playbackUrl: string;
  readonly mediaServer: 'embedded' | 'srs';
  readonly rtmpUrl: string;
  readonly rtmpPort: number;
  readonly mediaHttpPort: number;
  readonly mediaApiPort: number;
  readonly srsDriver: 'external' | 'binary' | 'docker';
  readonly srsBinary: string | undefined;
  readonly srsImage: string;
  /** In the path of the media server's hooks; without one, hooks are taken from loopback only. */
  readonly hookSecret: string | undefined;
  readonly rtcPort: number;
  /** The address that browsers reach WebRTC at. */
  readonly rtcCandidate: string;
  readonly authMode: 'open' | 'token';
  /** Signs and checks tokens. */
  readonly authSecret: string | undefined;
  /** Checks tokens that were signed before `authSecret` took its place. */
  readonly authSecretPrevious: string | undefined;
  /** PEM. */
  readonly authPublicKey: string | undefined;
  readonly authJwksUrl: string | undefined;
  readonly authAudience: string;
  readonly authIssuer: string | undefined;
  readonly holdSeconds: number;
  readonly leaseSeconds: number;
  readonly maxBufferSeconds: number;
  readonly maxStreams: number;
  readonly maxCpuPercent: number;
  readonly minFreeMemoryMb: number;
  readonly maxRequestsPerMinute: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxFailedLogins: number;
  readonly aacBitrate: string;
  readonly aacCoder: 'twoloop' | 'fast';
  readonly prebufferMs: number;
  readonly ffmpegPath: string | undefined;
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'pretty';
  readonly corsOrigins: '*' | readonly string[];
  readonly trustProxy: string | number | boolean;
  readonly production: boolean;
}

/** Which settings must not have the same value: two listeners cannot share a port. */
const PORTS = ['port', 'rtmpPort', 'mediaHttpPort', 'mediaApiPort'] as const;

/**
 * Reads the settings from the environment, and from a `.env` file in `directory` for what the environment leaves
 * out. An empty variable counts as not set.
 * @throws {OperatorError} that lists every fault at once, exit code 78
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>>,
  options: { directory?: string; isTerminal?: boolean } = {},
): Config {
  const file = path.join(options.directory ?? process.cwd(), '.env');
  const env = {
    ...(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}),
    ...definedOnly(environment),
  };

  const faults: string[] = [];
  const values = new Map<string, unknown>();
  const resolve = (key: keyof Settings): unknown => {
    if (values.has(key)) return values.get(key);
    const setting = SETTINGS[key] as Setting<unknown>;
    const text = env[setting.name];
    let value: unknown;
    try {
      value = text === undefined ? setting.default(context) : setting.parse(text, context);
    } catch (error) {
      const given = text === undefined || setting.secret ? '' : `, not ${JSON.stringify(text)}`;
      faults.push(`${setting.name} ${(error as Error).message}${given}`);
    }
    values.set(key, value);
    return value;
  };
  const context: SettingContext = {
    env,
    isTerminal: options.isTerminal ?? false,
    value: <K extends keyof Config>(key: K) => resolve(key as keyof Settings) as Config[K],
  };
  for (const key of Object.keys(SETTINGS) as (keyof Settings)[]) resolve(key);

  for (const [index, key] of PORTS.entries()) {
    const twin = PORTS.slice(index + 1).find(
      (other) => values.get(key) !== undefined && values.get(other) === values.get(key),
    );
    if (twin)
      faults.push(
        `${SETTINGS[key].name} and ${SETTINGS[twin].name} must differ, both are ${String(values.get(key))}`,
      );
  }
  if (faults.length > 0) throw new OperatorError(`Wrong settings: ${faults.join('; ')}`, EXIT_CONFIG);
  return Object.freeze({
    ...Object.fromEntries(values),
    production: env['NODE_ENV'] === 'production',
  }) as unknown as Config;
}

function definedOnly(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
    ),
  );
}
