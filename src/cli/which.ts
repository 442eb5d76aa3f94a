import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** The full path of a program, as a shell would find it; `undefined` where it would not. */
export function findProgram(name: string, searchPath = ''): string | undefined {
  const candidates = name.includes(path.sep)
    ? [name]
    : searchPath
        .split(path.delimiter)
        .filter((directory) => directory !== '')
        .map((directory) => path.join(directory, name));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
