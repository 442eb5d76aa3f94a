import { AUDIO_ROWS } from './rows/audio';
import { BODY_ROWS, METHOD_ROWS, OWNER_ROWS } from './rows/control';
import { HOOK_ROWS } from './rows/hooks';
import { ID_ROWS } from './rows/ids';
import { MEDIA_ROWS } from './rows/media';
import { PROTOCOL_ROWS } from './rows/protocol';
import { CREATOR_ROWS, EVENTS_ROWS, frameRows, upgradeRows } from './rows/websockets';
import { describeDoor } from './suite';
import { upgrade } from './wire';

const CLOSED = { status: 404, code: 'not-found' } as const;

/** Everything that is tried at the relay itself, tried through nginx: once with the API, once with what lasts. */
const API = [...PROTOCOL_ROWS, ...ID_ROWS, ...BODY_ROWS, ...OWNER_ROWS, ...METHOD_ROWS].filter(
  ({ isDirect }) => !isDirect,
);
const LASTING = [
  ...AUDIO_ROWS,
  ...upgradeRows('audio'),
  ...upgradeRows('events'),
  ...frameRows('audio', upgrade('/stream/{id}/audio')),
  ...frameRows('events', upgrade('/stream/control/events')),
  ...CREATOR_ROWS,
  ...EVENTS_ROWS,
  ...MEDIA_ROWS,
  // No hook is there, whoever asks.
  ...HOOK_ROWS.map((row) => ({ throughNginx: CLOSED, ...row })),
];

describeDoor('the API, through nginx', API, { throughNginx: true });
describeDoor('audio, events, media and hooks, through nginx', LASTING, {
  throughNginx: true,
  env: { CORS_ORIGINS: 'https://app.example' },
});
