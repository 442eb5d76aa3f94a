import { Problem } from '../base/errors';
import { matchesVibe } from './vibe-pattern';

/** What a token makes of its bearer. A creator may all that a participant may, an admin everything. */
export const ROLES = ['participant', 'creator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a token that was checked grants. */
export interface Grant {
  readonly role: Role;
  /** Who bears it, by the word of who signed it. */
  readonly subject: string;
  /** The id of the vibe that it is for, or a pattern; see `matchesVibe`. */
  readonly vibe: string;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
  /** From when it was issued until it expires, in milliseconds; not known where it does not say when it was issued. */
  readonly lifeMs?: number | undefined;
}

/** What a door asks of who comes. */
export interface Need {
  readonly role: Role;
  /** Left out where the door belongs to no vibe: then it asks for an admin. */
  readonly vibeId?: string;
}

/** Whether a grant is enough for a door. @throws {Problem} `forbidden` (403) */
export function checkGrant(grant: Grant, { role, vibeId }: Need): void {
  if (ROLES.indexOf(grant.role) < ROLES.indexOf(role))
    throw new Problem('forbidden', `This token is for the role ${grant.role}; this door asks for ${role}.`);
  if (grant.role === 'admin' || vibeId === undefined || matchesVibe(grant.vibe, vibeId)) return;
  throw new Problem('forbidden', `This token is not for the vibe ${vibeId}.`);
}
