import pino from 'pino';
import type { Logger } from '../../src/base/logger';

/** A logger that writes nowhere. */
export const silentLogger: Logger = pino({ level: 'silent' });
