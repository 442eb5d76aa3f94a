import { BODY_ROWS, METHOD_ROWS, OWNER_ROWS } from './rows/control';
import { ID_ROWS } from './rows/ids';
import { PROTOCOL_ROWS } from './rows/protocol';
import { describeDoor } from './suite';

describeDoor('the API', [...PROTOCOL_ROWS, ...ID_ROWS, ...BODY_ROWS, ...OWNER_ROWS, ...METHOD_ROWS]);
