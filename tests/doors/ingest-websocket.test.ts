import { CREATOR_ROWS, frameRows, upgradeRows } from './rows/websockets';
import { describeDoor } from './suite';
import { upgrade } from './wire';

const rows = [...upgradeRows('audio'), ...frameRows('audio', upgrade('/stream/{id}/audio')), ...CREATOR_ROWS];

describeDoor('the audio door, as a WebSocket', rows, { env: { CORS_ORIGINS: 'https://app.example' } });
