import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SETTINGS } from '../../src/base/settings';
import { MAX_CONNECTIONS, RESERVED_FILES } from '../../src/media-server/srs/conf';
import { ROOT } from './sources';

/** A file of the repository, as text. */
export function readRepo(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** The names of all settings. */
export const settingNames: ReadonlySet<string> = new Set(Object.values(SETTINGS).map(({ name }) => name));

/** The names of those that no file of a deployment, and no process manager's store, may hold. */
export const secretNames: readonly string[] = Object.values(SETTINGS)
  .filter(({ secret }) => secret)
  .map(({ name }) => name);

/** After so long the daemon ends by itself, whatever does not close. */
export const closeWithinMs = Number(
  /CLOSE_WITHIN_MS = ([\d_]+);/.exec(readRepo('src/main.ts'))?.[1]?.replaceAll('_', ''),
);

/** SRS does not start unless it may open so many files. */
export const srsFiles = MAX_CONNECTIONS + RESERVED_FILES;
