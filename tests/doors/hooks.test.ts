import { HOOK_ROWS, HOOK_SECRET } from './rows/hooks';
import { SRS_BINARY, srsVersion } from '../helpers/srs';
import { describeDoor } from './suite';

describeDoor('the doors for the media server’s hooks', HOOK_ROWS, { env: { HOOK_SECRET } });

// With a real SRS the hooks decide something: the same table, beside its own calls.
if (SRS_BINARY)
  describeDoor(`the same doors [SRS ${srsVersion()}]`, HOOK_ROWS, { env: { HOOK_SECRET }, withSrs: true });
else describe.skip('the same doors [SKIPPED: SRS_BINARY names no SRS]', () => undefined);
