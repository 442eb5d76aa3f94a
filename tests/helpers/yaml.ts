import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT } from './sources';

// PM2 brings a YAML parser; a second one as a dependency of our own would only be for the tests.
const requireOfPm2 = createRequire(path.join(ROOT, 'node_modules', 'pm2', 'package.json'));
const { load } = requireOfPm2('js-yaml') as { load: (text: string) => unknown };

/** Reads one YAML document. @throws {Error} that names the line, where it is none */
export function parseYaml(text: string): unknown {
  return load(text);
}
