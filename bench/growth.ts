import type { Bench, BenchRun } from './lib/bench';
import { growListeners } from './fan-out/growth';
import { growVibes } from './on-air/growth';

export const growth: Bench = {
  name: 'growth',
  summary: 'whether cost grows in step with vibes and with listeners',
  description:
    'CPU of daemon, FFmpegs and media server with 10, 20, 40 and 80 vibes on air, divided by the vibes, and held against ' +
    'the mean of these figures: a cost that is linear in the vibes has no distance from it. The floor, in turns: FFmpegs ' +
    'fed by hand into the same media server, whose own growth says what the machine does when it fills up. Then the CPU of ' +
    'the media server’s process alone with 100 to 2,500 listeners on one stream, held against the straight line that fits ' +
    'best; in turns with a bare Node TCP fan-out, which has its own.',
  defaults: { rounds: 2, seconds: 10 },
  quick: { rounds: 1, seconds: 5 },
  isGuard: false,
  run,
};

async function run(bench: BenchRun): Promise<void> {
  await growVibes(bench);
  await growListeners(bench);
}
