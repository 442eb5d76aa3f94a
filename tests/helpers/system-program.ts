import { findProgram } from '../../src/cli/which';

/** Debian keeps servers where accounts other than root do not look. */
const SERVER_PATHS = '/usr/local/sbin:/usr/sbin:/sbin';

/** The full path of a program of the system, servers included; `undefined` where there is none. */
export function findSystemProgram(name: string): string | undefined {
  return findProgram(name, `${process.env['PATH'] ?? ''}:${SERVER_PATHS}`);
}

/**
 * `describe` for suites that need programs of the system. Where one is missing the suite is skipped under a name that
 * says so, and with `CI=true` it fails: a suite that quietly proves less is worse than a red one.
 * @param needed programs, and the Debian packages that bring them
 */
export function describeWith(
  needed: Readonly<Record<string, string>>,
): (name: string, suite: () => void) => void {
  return (name, suite) => {
    const missing = Object.keys(needed).filter((program) => !findSystemProgram(program));
    if (missing.length === 0) {
      describe(name, suite);
      return;
    }
    const packages = [...new Set(missing.map((program) => needed[program]))].join(' ');
    const why = `${missing.join(', ')} missing (apt-get install ${packages})`;
    if (process.env['CI'] === 'true') it(name, () => Promise.reject(new Error(why)));
    else describe.skip(`${name} [SKIPPED: ${why}]`, suite);
  };
}
