import { userInfo } from 'node:os';

/** Who is logged in, where the system knows: what is made on a command line belongs to somebody. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'vibesflow';
  }
}
