import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Of this program, as its package says. */
export const version: string = (
  JSON.parse(readFileSync(path.resolve(__dirname, '../../package.json'), 'utf8')) as { version: string }
).version;
