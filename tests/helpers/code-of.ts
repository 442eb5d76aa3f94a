import { Problem } from '../../src/base/errors';

/** The code of the problem that `action` throws; nothing where it throws none. Other errors go through. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return undefined;
}
