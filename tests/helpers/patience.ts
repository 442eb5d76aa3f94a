/**
 * How long a test waits for something that is sure to come, on the slowest machine: what is not there by then never
 * comes. A bound of this kind says nothing about speed; where speed is promised, a test measures it (`Canary`).
 */
export const HANGS_AFTER_MS = 30_000;
