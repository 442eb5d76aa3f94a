import { MEDIA_ROWS } from './rows/media';
import { describeDoor } from './suite';

describeDoor('the doors where players listen', MEDIA_ROWS, {
  place: ({ mediaUrl }) => ({ port: Number(new URL(mediaUrl).port) }),
});
