import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two secrets are the same text. Takes the same time wherever they differ, and whatever their lengths. */
export function isSameSecret(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
