import { spawnSync } from 'node:child_process';
import { type NginxFeatures, PLAIN_FEATURES } from './nginx-site';
import { findProgram } from './which';

/** Debian keeps nginx where accounts other than root do not look. */
const SYSTEM_PATHS = '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/opt/homebrew/bin';
/** The first nginx with the directive `http2`. */
const HTTP2_DIRECTIVE = [1, 25, 1];
/** The first OpenSSL with ML-KEM. */
const POST_QUANTUM = [3, 5];

/**
 * What an nginx can do, from what `nginx -V` says of itself. The OpenSSL that it runs with counts, where it is not the
 * one that it was built with.
 */
export function featuresOf(said: string): NginxFeatures {
  const nginx = /nginx\/(\d[\d.]*)/.exec(said)?.[1] ?? '';
  const openssl =
    /running with OpenSSL (\d[\d.]*)/.exec(said)?.[1] ?? /OpenSSL (\d[\d.]*)/.exec(said)?.[1] ?? '';
  return { http2Directive: isAtLeast(nginx, HTTP2_DIRECTIVE), postQuantum: isAtLeast(openssl, POST_QUANTUM) };
}

/** What the nginx of this machine can do; what every nginx can, where there is none. */
export function installedFeatures(searchPath = ''): NginxFeatures {
  const program = findProgram('nginx', `${searchPath}:${SYSTEM_PATHS}`);
  if (!program) return PLAIN_FEATURES;
  const { stderr, status } = spawnSync(program, ['-V'], { encoding: 'utf8', timeout: 5_000 });
  return status === 0 ? featuresOf(stderr) : PLAIN_FEATURES;
}

function isAtLeast(version: string, wanted: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, want] of wanted.entries()) {
    const part = parts[index] ?? 0;
    if (Number.isNaN(part) || part < want) return false;
    if (part > want) return true;
  }
  return true;
}
