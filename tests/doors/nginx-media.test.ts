import { AUDIO_ROWS } from './rows/audio';
import { HOOK_ROWS } from './rows/hooks';
import { MEDIA_ROWS } from './rows/media';
import { CREATOR_ROWS, EVENTS_ROWS, frameRows, upgradeRows } from './rows/websockets';
import { describeDoor } from './suite';
import { upgrade } from './wire';

const CLOSED = { status: 404, code: 'not-found' } as const;

/** What is tried at the other doors of the relay, tried through nginx. */
const ROWS = [
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

describeDoor('audio, events, media and hooks, through nginx', ROWS, {
  throughNginx: true,
  env: { CORS_ORIGINS: 'https://app.example' },
});
