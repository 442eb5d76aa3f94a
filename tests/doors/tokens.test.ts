import { ADMIN, AUTH_SECRET, CREATOR, TOKEN_ROWS } from './rows/tokens';
import { describeDoor } from './suite';

describeDoor('doors that ask for tokens', TOKEN_ROWS, {
  env: { AUTH_MODE: 'token', AUTH_SECRET },
  tokens: { admin: ADMIN, creator: CREATOR },
});
