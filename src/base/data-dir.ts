import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EXIT_CANT_CREATE, OperatorError } from './errors';

/**
 * Makes the directory where it is missing, and proves that files can be made in it by making one. Permissions alone
 * say too little: root may write everywhere and still not in `/proc`.
 * @throws {OperatorError} 73
 */
export function prepareDataDir(directory: string): void {
  try {
    makeDirectories(path.resolve(directory));
    const probe = path.join(directory, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `DATA_DIR ${directory} cannot be written to (${code ?? message})`,
      EXIT_CANT_CREATE,
    );
  }
}

/** Step by step: Node's own recursive mkdir never returns where the kernel says ENOENT for a new directory, as in `/proc`. */
function makeDirectories(directory: string): void {
  const isThere = statSync(directory, { throwIfNoEntry: false });
  if (isThere?.isDirectory()) return;
  const parent = path.dirname(directory);
  if (!isThere && parent !== directory) makeDirectories(parent);
  mkdirSync(directory);
}
