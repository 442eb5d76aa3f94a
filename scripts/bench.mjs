/*
 * `npm run bench [name]`: builds the relay, unless nothing is to be measured, then runs the benchmarks. Ends when they have
 * ended what they started.
 */
import { runBuilt } from './run-built.mjs';

runBuilt('bench/main.ts', (asked) => asked.length === 0 || asked[0] === 'docs');
