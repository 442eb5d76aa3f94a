import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { outputOf } from './run-program';

/** Files, in PEM. */
export interface TestAuthority {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Makes an authority, and a certificate of it for `host`, valid for a day, in `directory`. Needs `openssl`. */
export async function makeAuthority(directory: string, host: string): Promise<TestAuthority> {
  const file = (name: string): string => path.join(directory, name);
  const openssl = async (...args: string[]): Promise<void> => void (await outputOf('openssl', args));
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '1',
    '-subj',
    '/CN=Test authority',
    ...[
      ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'],
      ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
    ],
  );
  await openssl(
    'req',
    ...newKey,
    '-subj',
    `/CN=${host}`,
    '-keyout',
    file('tls.key'),
    '-out',
    file('tls.csr'),
  );
  writeFileSync(
    file('tls.ext'),
    [
      `subjectAltName=DNS:${host},IP:127.0.0.1`,
      'basicConstraints=CA:FALSE',
      'extendedKeyUsage=serverAuth',
    ].join('\n'),
  );
  await openssl(
    'x509',
    '-req',
    '-in',
    file('tls.csr'),
    '-CA',
    file('ca.pem'),
    '-CAkey',
    file('ca.key'),
    ...[...['-CAcreateserial', '-days', '1', '-extfile', file('tls.ext'), '-out', file('tls.pem')]],
  );
  chmodSync(file('tls.key'), 0o600);
  return { caFile: file('ca.pem'), certFile: file('tls.pem'), keyFile: file('tls.key') };
}
