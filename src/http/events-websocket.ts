import type { Claim } from '../vibes/ownership';
import { describe } from '../vibes/vibe-status';
import type { HttpContext } from './context';
import { whereToListen } from './vibes';
import type { WebSocketLink } from './websocket-link';

/**
 * Tells what happens in a vibe: its whole status first, then every event, until the vibe is over.
 * @throws {Problem} `vibe-not-found` (404); `unauthorized` (401), `wrong-owner-key` (403) where the vibe is private
 */
export function tellEvents(
  link: WebSocketLink,
  { vibeId, claim }: { vibeId: string; claim: Claim },
  context: HttpContext,
): void {
  const { registry, clock } = context;
  const vibe = registry.require(vibeId);
  vibe.ownership.checkListener(claim);
  link.send({ type: 'status', ...describe(vibe), ...whereToListen(vibe, context), atMs: clock.epochMs() });
  if (vibe.isOver) return link.close(1000, 'over');
  const unsubscribe = vibe.subscribe((event) => {
    link.send({ ...event }, { optional: event.type === 'level' });
    if (event.type === 'state' && vibe.isOver) link.close(1000, 'over');
  });
  link.onClosed(unsubscribe);
}
