import express from 'express';
import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../src/base/config';
import { OperatorError } from '../../src/base/errors';

let directory: string;
const SECRET = 'k7Qm2xV9sT4wZ1bN6cR8dF3gH5jL0pYa';

/** One half of a pair of keys, as PEM. */
function pem(type: 'rsa' | 'ec', options: object, half: 'publicKey' | 'privateKey' = 'publicKey'): string {
  const pair = (generateKeyPairSync as (type: string, options: object) => KeyPairKeyObjectResult)(
    type,
    options,
  );
  return pair[half].export({ type: half === 'publicKey' ? 'spki' : 'pkcs8', format: 'pem' }) as string;
}

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'vibesflow-config-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function load(environment: Record<string, string>, isTerminal = false) {
  return loadConfig(environment, { directory, isTerminal });
}

function faultsOf(environment: Record<string, string>): OperatorError {
  try {
    load(environment);
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('the settings', () => {
  it('have the defaults of the contract', () => {
    expect(load({})).toMatchObject({
      port: 3001,
      host: '127.0.0.1',
      publicUrl: 'http://localhost:3001',
      playbackUrl: 'http://localhost:8080',
      mediaServer: 'embedded',
      rtmpUrl: 'rtmp://127.0.0.1:1935/live',
      rtmpPort: 1935,
      mediaHttpPort: 8080,
      mediaApiPort: 1985,
      authMode: 'open',
      holdSeconds: 30,
      maxBufferSeconds: 30,
      maxStreams: 200,
      maxCpuPercent: 95,
      minFreeMemoryMb: 128,
      maxRequestsPerMinute: 3_000,
      maxConnectionsPerAddress: 256,
      maxFailedLogins: 20,
      aacBitrate: '128k',
      aacCoder: 'twoloop',
      prebufferMs: 60,
      ffmpegPath: undefined,
      dataDir: path.resolve('data'),
      logLevel: 'info',
      logFormat: 'json',
      corsOrigins: '*',
      trustProxy: 'loopback',
      production: false,
    });
  });

  it('derive URLs from ports, and playback from PUBLIC_URL where that is set', () => {
    expect(load({ PORT: '4000', MEDIA_HTTP_PORT: '4001', RTMP_PORT: '4002' })).toMatchObject({
      publicUrl: 'http://localhost:4000',
      playbackUrl: 'http://localhost:4001',
      rtmpUrl: 'rtmp://127.0.0.1:4002/live',
    });
    expect(load({ PUBLIC_URL: 'https://live.example.org/' })).toMatchObject({
      publicUrl: 'https://live.example.org',
      playbackUrl: 'https://live.example.org',
    });
  });

  it('come from a .env file for what the environment leaves out', () => {
    writeFileSync(path.join(directory, '.env'), 'PORT=5000\nHOLD_SECONDS=7\n# a comment\nAAC_CODER="fast"\n');
    expect(load({ PORT: '5001', HOLD_SECONDS: '' })).toMatchObject({
      port: 5001,
      holdSeconds: 7,
      aacCoder: 'fast',
    });
  });

  it('are refused all at once, each with what is wrong, as a fault of configuration', () => {
    const fault = faultsOf({
      PORT: '70000',
      AAC_CODER: 'best',
      PREBUFFER_MS: '-1',
      PUBLIC_URL: 'example.org',
      CORS_ORIGINS: 'https://a.example/path',
    });
    expect(fault.exitCode).toBe(78);
    for (const name of ['PORT', 'AAC_CODER', 'PREBUFFER_MS', 'PUBLIC_URL', 'CORS_ORIGINS'])
      expect(fault.message).toContain(name);
    expect(fault.message).toContain('from 1 to 65535, not "70000"');
    expect(fault.message).not.toContain('\n');
  });

  it.each([
    [{ MEDIA_SERVER: 'nginx' }, 'must be embedded or srs'],
    [{ SRS_DRIVER: 'binary' }, 'SRS_BINARY must name SRS'],
    [{ SRS_IMAGE: '-v /:/host' }, 'name of an image'],
    [{ HOOK_SECRET: 'short' }, '16 to 128'],
    [{ HOOK_SECRET: '../../../../../../etc' }, '16 to 128'],
    [{ RTC_CANDIDATE: 'example.org' }, 'must be an IP address'],
    [{ MEDIA_API_PORT: '1935' }, 'must differ'],
    [{ AUTH_MODE: 'token' }, 'AUTH_MODE token needs a key'],
    [{ AUTH_MODE: 'none' }, 'must be open or token'],
    [{ AUTH_SECRET: 'x1'.repeat(15) }, 'AUTH_SECRET must have 32 bytes at least'],
    [{ AUTH_SECRET: 'changeme'.repeat(8) }, 'AUTH_SECRET must be made by chance'],
    [{ AUTH_SECRET_PREVIOUS: SECRET }, 'comes with AUTH_SECRET'],
    [{ AUTH_SECRET: SECRET, AUTH_SECRET_PREVIOUS: 'short' }, 'AUTH_SECRET_PREVIOUS must have 32 bytes'],
    [{ AUTH_PUBLIC_KEY: '/no/such/file.pem' }, 'a file that holds one'],
    [{ AUTH_PUBLIC_KEY: '-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----' }, 'as PEM'],
    [{ AUTH_PUBLIC_KEY: pem('rsa', { modulusLength: 1024 }) }, '2048 bits'],
    [{ AUTH_PUBLIC_KEY: pem('ec', { namedCurve: 'secp384r1' }) }, 'P-256'],
    [{ AUTH_PUBLIC_KEY: pem('ec', { namedCurve: 'P-256' }, 'privateKey') }, 'must be the public key'],
    [{ AUTH_JWKS_URL: 'http://keys.example/jwks' }, 'must begin with https'],
    [{ AUTH_JWKS_URL: 'https://me:pass@keys.example/jwks' }, 'must not have a user'],
    [{ AUTH_AUDIENCE: 'two words' }, 'without spaces'],
    [{ PORT: '8080' }, 'must differ'],
    [{ TRUST_PROXY: 'true' }, 'must not be true'],
    [{ TRUST_PROXY: 'nginx' }, '"nginx" is none'],
    [{ TRUST_PROXY: 'loopback, 10.0.0.300' }, '10.0.0.300'],
    [{ TRUST_PROXY: '10.0.0.0/33' }, '10.0.0.0/33'],
    [{ TRUST_PROXY: '10.0.0.0/0' }, '10.0.0.0/0'],
    [{ TRUST_PROXY: 'loopback,' }, '"" is none'],
    [{ AAC_BITRATE: '128' }, '32k to 320k'],
    [{ AAC_BITRATE: '999k' }, '32k to 320k'],
    [{ HOST: 'a b' }, 'HOST'],
    [{ RTMP_URL: 'http://127.0.0.1/live' }, 'rtmp://'],
    [{ RTMP_URL: 'rtmp://' }, 'RTMP_URL'],
    [{ RTMP_URL: 'rtmp://127.0.0.1:9/live' }, 'must name RTMP_PORT'],
    [{ PUBLIC_URL: 'http://x.example/?a=b' }, 'end before any ?'],
    [{ NODE_ENV: 'production' }, 'AUTH_MODE must be set in production'],
  ])('refuse %j', (environment, words) => {
    expect(faultsOf(environment as Record<string, string>).message).toContain(words);
  });

  it('take open in production when it is asked for by name, and log JSON there', () => {
    expect(load({ NODE_ENV: 'production', AUTH_MODE: 'open' }, true)).toMatchObject({
      production: true,
      logFormat: 'json',
    });
    expect(load({}, true).logFormat).toBe('pretty');
  });

  it('take the keys that tokens are checked with, and keep secrets out of faults', () => {
    const key = pem('ec', { namedCurve: 'P-256' });
    const file = path.join(directory, 'key.pem');
    writeFileSync(file, key);
    expect(load({ AUTH_MODE: 'token', AUTH_SECRET: SECRET })).toMatchObject({
      authMode: 'token',
      authSecret: SECRET,
      authAudience: 'vibesflow',
    });
    expect(load({ AUTH_PUBLIC_KEY: file }).authPublicKey).toBe(key);
    expect(load({ AUTH_PUBLIC_KEY: key.replaceAll('\n', '\\n') }).authPublicKey).toBe(key);
    expect(load({ AUTH_JWKS_URL: 'http://127.0.0.1:9/jwks' }).authJwksUrl).toBe('http://127.0.0.1:9/jwks');
    expect(faultsOf({ AUTH_SECRET: 'too-short-a-secret' }).message).not.toContain('too-short');
  });

  it('take an SRS on another host, and keep the secret of its hooks out of faults', () => {
    const srs = { MEDIA_SERVER: 'srs', RTMP_URL: 'rtmp://10.0.0.7:2935/live' };
    expect(load(srs)).toMatchObject({ mediaServer: 'srs', rtmpUrl: srs.RTMP_URL, srsDriver: 'external' });
    expect(faultsOf({ HOOK_SECRET: 'not/a/secret/of/ours' }).message).not.toContain('of/ours');
  });

  it('take exact origins and named proxies', () => {
    expect(load({ CORS_ORIGINS: 'https://a.example, https://b.example:8443' }).corsOrigins).toEqual([
      'https://a.example',
      'https://b.example:8443',
    ]);
    expect(load({ TRUST_PROXY: '2' }).trustProxy).toBe(2);
    expect(load({ TRUST_PROXY: 'false' }).trustProxy).toBe(false);
    for (const proxies of ['10.0.0.0/8', 'loopback, 192.0.2.7', 'uniquelocal,fd00::/8,::1', '10.0.0.1/32']) {
      const { trustProxy } = load({ TRUST_PROXY: proxies });
      expect(trustProxy).toBe(proxies);
      expect(() => express().set('trust proxy', trustProxy)).not.toThrow();
    }
  });
});
