import { EVENTS_ROWS, frameRows, upgradeRows } from './rows/websockets';
import { describeDoor } from './suite';
import { upgrade } from './wire';

const rows = [
  ...upgradeRows('events'),
  ...frameRows('events', upgrade('/stream/control/events')),
  ...EVENTS_ROWS,
];

describeDoor('the events door', rows, { env: { CORS_ORIGINS: 'https://app.example' } });
