import type { Config } from '../base/config';
import type { Logger } from '../base/logger';
import type { MediaServer } from '../media-server/media-server';
import type { PipelineHouse } from './pipeline';
import type { Vibe } from './vibe';
import type { PastVibe, VibeRecorder } from './vibe-record';

/** What a vibe needs of the house. `app.ts` fills it. */
export interface VibeHouse extends PipelineHouse {
  readonly config: PipelineHouse['config'] & Pick<Config, 'holdSeconds' | 'leaseSeconds'>;
  readonly logger: Logger;
  readonly mediaServer: MediaServer;
  /** Remembers what a vibe needs to go on after the daemon's death. */
  readonly recorder?: VibeRecorder;
}

export interface VibeOptions {
  readonly vibeId: string;
  readonly creator?: string | undefined;
  /** Whose token started it. */
  readonly subject?: string | undefined;
  readonly network?: string | undefined;
  readonly title?: string | undefined;
  /** Whether only who the owner lets may listen. */
  readonly isPrivate?: boolean | undefined;
  /** What a daemon that died knew of it. */
  readonly past?: PastVibe;
  /** Told once, when the vibe has ended or failed. */
  readonly onOver?: (vibe: Vibe) => void;
}
