import { APP, BROWSER_ROWS, MEDIA_BROWSER_ROWS } from './rows/browsers';
import { describeDoor } from './suite';

describeDoor('the API, for browsers', BROWSER_ROWS, { env: { CORS_ORIGINS: APP } });
describeDoor('media, for browsers', MEDIA_BROWSER_ROWS, {
  place: ({ mediaUrl }) => ({ port: Number(new URL(mediaUrl).port) }),
});
