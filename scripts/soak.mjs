/* `npm run soak`: builds the relay, unless only help is asked for, then keeps it busy: tests/torture/soak/main.ts. */
import { runBuilt } from './run-built.mjs';

runBuilt('tests/torture/soak/main.ts', () => false);
