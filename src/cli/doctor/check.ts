/** What was looked at, what was found, and what to do about it. */
export interface Check {
  readonly name: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** Always there where the result is not `ok`. */
  readonly remedy?: string;
}

export const ok = (name: string, found: string): Check => ({ name, result: 'ok', found });

/** Works, but something is not as it should be. */
export const warn = (name: string, found: string, remedy: string): Check => ({
  name,
  result: 'warn',
  found,
  remedy,
});

export const fail = (name: string, found: string, remedy: string): Check => ({
  name,
  result: 'fail',
  found,
  remedy,
});
