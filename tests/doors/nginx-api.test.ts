import { BODY_ROWS, METHOD_ROWS, OWNER_ROWS } from './rows/control';
import { ID_ROWS } from './rows/ids';
import { PROTOCOL_ROWS } from './rows/protocol';
import { describeDoor } from './suite';

const rows = [...PROTOCOL_ROWS, ...ID_ROWS, ...BODY_ROWS, ...OWNER_ROWS, ...METHOD_ROWS];

/** What is tried at the relay itself, tried through nginx. */
describeDoor(
  'the API, through nginx',
  rows.filter(({ isDirect }) => !isDirect),
  { throughNginx: true },
);
