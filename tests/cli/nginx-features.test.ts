import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { featuresOf, installedFeatures } from '../../src/cli/nginx-features';

const said = (nginx: string, openssl: string): string =>
  `nginx version: nginx/${nginx}\n${openssl}\nTLS SNI support enabled\n`;

describe('what an nginx can do', () => {
  it.each([
    ['1.18.0', false],
    ['1.22.1', false],
    ['1.25.0', false],
    ['1.25.1', true],
    ['1.26', true],
    ['1.29.4', true],
    ['2.0.0', true],
    ['', false],
  ])('nginx %s: a directive http2? %s', (version, http2Directive) => {
    expect(featuresOf(said(version, '')).http2Directive).toBe(http2Directive);
  });

  it.each([
    ['built with OpenSSL 3.0.22 25 Aug 2026', false],
    ['built with OpenSSL 1.1.1w  11 Sep 2023', false],
    ['built with OpenSSL 3.5.1 1 Jul 2025', true],
    ['built with OpenSSL 3.5.1 1 Jul 2025 (running with OpenSSL 3.0.19 27 Jan 2026)', false],
    ['built with OpenSSL 3.0.2 15 Mar 2022 (running with OpenSSL 3.6.0 1 Oct 2026)', true],
    ['built with BoringSSL', false],
  ])('%s: post-quantum? %s', (openssl, postQuantum) => {
    expect(featuresOf(said('1.22.1', openssl)).postQuantum).toBe(postQuantum);
  });
});

describe('the nginx of this machine', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'vibesflow-nginx-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function install(script: string): void {
    writeFileSync(path.join(directory, 'nginx'), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(directory, 'nginx'), 0o755);
  }

  it('is asked', () => {
    install(`[ "$1" = -V ] && printf '%s\\n' 'nginx version: nginx/1.29.0' 'built with OpenSSL 3.5.0' >&2`);
    expect(installedFeatures(directory)).toEqual({ http2Directive: true, postQuantum: true });
  });

  it('counts as an old one where it does not say', () => {
    install('echo "nginx version: nginx/1.29.0" >&2; exit 3');
    expect(installedFeatures(directory)).toEqual({ http2Directive: false, postQuantum: false });
  });
});
