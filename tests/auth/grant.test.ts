import { checkGrant, type Grant, type Need } from '../../src/auth/grant';
import { codeOf } from '../helpers/code-of';

describe('a grant', () => {
  it.each<[Grant['role'], string, Need, boolean]>([
    ['creator', 'v', { role: 'creator', vibeId: 'v' }, true],
    ['creator', 'v', { role: 'participant', vibeId: 'v' }, true],
    ['creator', 'v', { role: 'creator', vibeId: 'w' }, false],
    ['creator', 'v-*', { role: 'creator', vibeId: 'v-2' }, true],
    ['creator', '*', { role: 'admin' }, false],
    ['participant', 'v', { role: 'participant', vibeId: 'v' }, true],
    ['participant', 'v', { role: 'creator', vibeId: 'v' }, false],
    ['participant', '*', { role: 'admin' }, false],
    ['admin', '*', { role: 'admin' }, true],
    ['admin', '*', { role: 'creator', vibeId: 'v' }, true],
  ])('of the role %s for %s, at %j: %s', (role, vibe, need, passes) => {
    const grant = { role, vibe, subject: 'ann', expiresAtMs: Infinity };
    expect(codeOf(() => checkGrant(grant, need))).toBe(passes ? undefined : 'forbidden');
  });
});
