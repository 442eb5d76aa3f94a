/* `npm run slow-attacks`: builds the relay, then attacks it slowly: tests/doors/slow-attacks.ts. */
import { runBuilt } from './run-built.mjs';

runBuilt('tests/doors/slow-attacks.ts', () => false);
