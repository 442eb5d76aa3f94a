import { ALLOWED, type Hook, refused, type Verdict } from './hook';
import type { VhostHooks } from './hook-desk';

/**
 * What an SRS is told that calls while the relay runs its own media server: whoever publishes there is no encoder of
 * this relay. Nobody is kept from playing what others have there.
 */
export const idleHooks: VhostHooks = {
  decide: ({ action }: Hook): Verdict =>
    action === 'on_publish' ? refused('this relay publishes to its own media server') : ALLOWED,
};
