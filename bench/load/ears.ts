/*
 * A process of listeners that does nothing else: when it says that a tag came late, the tag was late. It has a canary of its
 * own, so that it can say when the machine, and not the server, kept it waiting.
 */
import { performance } from 'node:perf_hooks';
import { Canary } from '../../tests/helpers/canary';
import { FlvListener } from '../../tests/helpers/flv-listener';
import { answerQuestions } from '../lib/asked-process';
import { smoothnessOf } from '../lib/gaps';
import type { EarsAnswer, EarsQuestion } from './ears-messages';

const listeners = new Map<string, FlvListener>();
let canary: Canary | undefined;

answerQuestions<EarsQuestion, EarsAnswer>(async (question) => {
  if (question.type === 'listen') {
    canary ??= await Canary.start();
    for (const [name, url] of Object.entries(question.urls))
      listeners.set(name, await FlvListener.connect(url));
    return { type: 'listening' };
  }
  // A stream that was heard before is no news: what is asked for ends with this question.
  const untilMs = performance.now();
  await canary?.look();
  const disturbed = canary?.disturbedSeconds(question.disturbedMs) ?? new Set<number>();
  const heard = [...listeners].map(([name, { frames, isConnected }]) => {
    const arrivals = frames.map(({ atMs }) => atMs);
    // A stream that stopped has a gap up to now.
    if (!isConnected || untilMs - (arrivals.at(-1) ?? untilMs) > question.disturbedMs * 10)
      arrivals.push(untilMs);
    return { name, ...smoothnessOf(arrivals, { settleMs: question.settleMs, disturbed }) };
  });
  for (const listener of listeners.values()) listener.leave();
  listeners.clear();
  await canary?.stop();
  const summary = canary?.summary ?? '';
  canary = undefined;
  return { type: 'heard', heard, summary };
});
