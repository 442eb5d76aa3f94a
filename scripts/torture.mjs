/* `npm run torture [pattern]`: builds the relay, unless no fault is to be done, then does the faults. */
import { runBuilt } from './run-built.mjs';

runBuilt('tests/torture/main.ts', (asked) => asked[0] === 'docs');
