import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { oneOf, url } from './setting-parsers';
import type { Settings } from './settings';

const MIN_SECRET_BYTES = 32;
/** A secret that was made by chance has more; `changemechangeme…` and `aaaa…` have not. */
const MIN_DIFFERENT_CHARACTERS = 12;
const MIN_RSA_BITS = 2048;
const KEY_SETTINGS = ['AUTH_SECRET', 'AUTH_PUBLIC_KEY', 'AUTH_JWKS_URL'] as const;
const TEXT = /^[\x21-\x7e]{1,256}$/;

/** The settings of who may do what. */
export const AUTH_SETTINGS: Pick<
  Settings,
  | 'authMode'
  | 'authSecret'
  | 'authSecretPrevious'
  | 'authPublicKey'
  | 'authJwksUrl'
  | 'authAudience'
  | 'authIssuer'
> = {
  authMode: {
    name: 'AUTH_MODE',
    shown: 'open (must be asked for by name with NODE_ENV=production)',
    meaning:
      '`open`: the creator’s name is the claim on a vibe. `token`: a signed token says who may do what; needs `AUTH_SECRET`, `AUTH_PUBLIC_KEY` or `AUTH_JWKS_URL`',
    default: (context) => {
      if (context.env['NODE_ENV'] === 'production')
        throw new Error('must be set in production; open lets anybody who can reach the relay send audio');
      return 'open';
    },
    parse: (text, { env }) => {
      const mode = oneOf('open', 'token')(text);
      if (mode === 'token' && !KEY_SETTINGS.some((name) => env[name]))
        throw new Error(`token needs a key to check tokens with: set one of ${KEY_SETTINGS.join(', ')}`);
      return mode;
    },
  },
  authSecret: {
    name: 'AUTH_SECRET',
    shown: 'none',
    meaning: 'signs and checks tokens (HS256); 32 bytes at least, such as `openssl rand -base64 32` makes',
    secret: true,
    default: () => undefined,
    parse: secret,
  },
  authSecretPrevious: {
    name: 'AUTH_SECRET_PREVIOUS',
    shown: 'none',
    meaning: 'the secret before this one: its tokens are taken still, until it is removed',
    secret: true,
    default: () => undefined,
    parse: (text, { env }) => {
      if (!env['AUTH_SECRET']) throw new Error('comes with AUTH_SECRET, and not alone');
      return secret(text);
    },
  },
  authPublicKey: {
    name: 'AUTH_PUBLIC_KEY',
    shown: 'none',
    meaning:
      'checks tokens that are signed elsewhere: a public key as PEM, or the file that holds it; RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA)',
    default: () => undefined,
    parse: publicKey,
  },
  authJwksUrl: {
    name: 'AUTH_JWKS_URL',
    shown: 'none',
    meaning: 'where who signs tokens publishes the public keys (JWKS); `https`, or `http` on this machine',
    default: () => undefined,
    parse: (text) => {
      const base = url('https:', 'http:')(text);
      const { protocol, hostname, username } = new URL(base);
      if (username) throw new Error('must not have a user in it');
      if (protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))
        throw new Error('must begin with https: whoever can change the keys under way can sign');
      return base;
    },
  },
  authAudience: {
    name: 'AUTH_AUDIENCE',
    shown: 'vibesflow',
    meaning: 'the audience (`aud`) that tokens must be for: tokens for another service are none for this one',
    default: () => 'vibesflow',
    parse: word,
  },
  authIssuer: {
    name: 'AUTH_ISSUER',
    shown: 'none',
    meaning: 'the issuer (`iss`) that tokens must be from, where it is set',
    default: () => undefined,
    parse: word,
  },
};

function secret(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes < MIN_SECRET_BYTES)
    throw new Error(`must have ${MIN_SECRET_BYTES} bytes at least, such as openssl rand -base64 32 makes`);
  if (new Set(text).size < MIN_DIFFERENT_CHARACTERS)
    throw new Error('must be made by chance, such as by openssl rand -base64 32');
  return text;
}

function word(text: string): string {
  if (!TEXT.test(text)) throw new Error('must be 1 to 256 characters without spaces');
  return text;
}

/** @returns the key as PEM */
function publicKey(text: string): string {
  const isPem = text.includes('-----BEGIN');
  if (!isPem && !existsSync(text)) throw new Error('must be a public key as PEM, or a file that holds one');
  // In one line of an environment file line breaks are written as \n.
  const pem = isPem ? text.replaceAll('\\n', '\n') : readFileSync(text, 'utf8');
  if (pem.includes('PRIVATE KEY'))
    throw new Error('must be the public key: the private one belongs to who signs, and to nobody else');
  const { asymmetricKeyType, asymmetricKeyDetails } = parsed(pem);
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails ?? {};
  const isTaken =
    asymmetricKeyType === 'ed25519' ||
    (asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS) ||
    (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1');
  if (!isTaken) throw new Error(`must be RSA of ${MIN_RSA_BITS} bits or more, P-256 or Ed25519`);
  return pem;
}

function parsed(pem: string): ReturnType<typeof createPublicKey> {
  try {
    return createPublicKey(pem);
  } catch {
    throw new Error('must be a public key as PEM');
  }
}
