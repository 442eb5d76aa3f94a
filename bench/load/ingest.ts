/*
 * Creators at one door of a relay or a sink, in a process of their own: what they cost must not be counted to what they
 * send to. Chunks are spread evenly over their length, as creators that know nothing of each other send.
 */
import { performance } from 'node:perf_hooks';
import { answerQuestions } from '../lib/asked-process';
import { type IngestDoor, IngestFeed } from './ingest-feed';

export type IngestQuestion =
  | { what: 'open'; door: IngestDoor; port: number; vibeIds: readonly string[]; chunkMs: number }
  /** Sends in real time from now on. */
  | { what: 'pace' }
  /** Sends so many for each vibe, as fast as they are taken. */
  | { what: 'burst'; chunks: number }
  | { what: 'count' }
  | { what: 'close' };

export interface IngestCount {
  readonly sent: number;
  readonly answered: number;
}

let feeds: IngestFeed[] = [];
let chunkMs = 20;
let pacing: NodeJS.Timeout | undefined;

answerQuestions(async (question: IngestQuestion): Promise<IngestCount> => {
  if (question.what === 'open') await open(question);
  if (question.what === 'pace') pace();
  if (question.what === 'burst') await Promise.all(feeds.map((feed) => feed.burst(question.chunks)));
  if (question.what === 'close') await close();
  const fault = feeds.find((feed) => feed.fault)?.fault;
  if (fault) throw new Error(fault);
  const sum = (member: 'sent' | 'answered'): number => feeds.reduce((all, feed) => all + feed[member], 0);
  return { sent: sum('sent'), answered: sum('answered') };
});

async function open(options: {
  door: IngestDoor;
  port: number;
  vibeIds: readonly string[];
  chunkMs: number;
}): Promise<void> {
  const { door, port, vibeIds } = options;
  chunkMs = options.chunkMs;
  feeds = await Promise.all(
    vibeIds.map((vibeId, seed) => IngestFeed.open({ door, port, vibeId, chunkMs, seed: seed + 1 })),
  );
}

function pace(): void {
  const startMs = performance.now();
  const everyMs = chunkMs / feeds.length;
  let turn = 0;
  const send = (): void => {
    const nowMs = performance.now();
    for (; startMs + turn * everyMs <= nowMs; turn += 1) feeds[turn % feeds.length]?.send();
    pacing = setTimeout(send, Math.max(0, startMs + turn * everyMs - performance.now()));
  };
  send();
}

async function close(): Promise<void> {
  clearTimeout(pacing);
  const closing = feeds;
  feeds = [];
  await Promise.all(closing.map((feed) => feed.close()));
}
