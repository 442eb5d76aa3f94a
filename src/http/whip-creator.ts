import { type PcmFormat, sampleBytes } from '../audio/pcm';
import { Problem } from '../base/errors';
import type { IngestConnection } from '../vibes/creator-seat';
import type { Claim } from '../vibes/ownership';
import type { Vibe } from '../vibes/vibe';
import type { HttpContext, OpenDoor, WebRtcSession } from './context';

const DOOR = 'whip';
/** Audio that found no room is told of in the log as often as this. */
const TALLY_MS = 5_000;

/**
 * A creator that sends by WHIP: hands a browser's PCM to the vibe, which takes it as from any other connection. It sits
 * down with its first audio, so who takes over from an older connection leaves no gap while it connects.
 */
export class WhipCreator implements IngestConnection, OpenDoor {
  readonly vibeId: string;
  readonly #claim: Claim;
  readonly #format: PcmFormat;
  readonly #context: HttpContext;
  readonly #onEnded: () => void;
  #session: WebRtcSession | undefined;
  #vibe: Vibe | undefined;
  #letGo: (() => void) | undefined;
  #carry: Buffer = Buffer.alloc(0);
  #droppedBytes = 0;
  #talliedMs = -Infinity;
  #isOver = false;

  /** @param onEnded told once, when it is over */
  constructor(
    about: { vibeId: string; claim: Claim; format: PcmFormat },
    context: HttpContext,
    onEnded: () => void,
  ) {
    this.vibeId = about.vibeId;
    this.#claim = about.claim;
    this.#format = about.format;
    this.#context = context;
    this.#onEnded = onEnded;
  }

  /** Whether its audio is what the vibe plays. */
  get isOnAir(): boolean {
    return this.#letGo !== undefined && !this.#isOver;
  }

  /** Finds the vibe or starts it. @throws {Problem} as `VibeRegistry.accept`; the session has ended then */
  begin(session: WebRtcSession): void {
    this.#session = session;
    try {
      if (this.#isOver) throw new Problem('media-server-refused', 'The session ended at once.');
      this.#vibe = this.#context.registry.accept(this.vibeId, this.#claim, this.#format);
    } catch (error) {
      session.end('refused');
      throw error;
    }
    this.#context.openDoors.add(this);
    this.#context.metrics.ingestConnections.inc({ door: DOOR });
    this.#context.metrics.rtcSessions.inc({ door: DOOR });
  }

  /** The browser's audio, in pieces of any length. */
  audio(pcm: Buffer): void {
    const vibe = this.#vibe;
    if (!vibe || this.#isOver) return;
    const bytes = this.#carry.length > 0 ? Buffer.concat([this.#carry, pcm]) : pcm;
    const whole = bytes.length - (bytes.length % sampleBytes(this.#format));
    this.#carry = bytes.subarray(whole);
    if (whole === 0) return;
    try {
      this.#letGo ??= vibe.takeOver(this);
      vibe.push(bytes.subarray(0, whole), { door: DOOR });
    } catch (error) {
      this.#refused(error, whole);
    }
  }

  /** The browser is gone, or the session was ended here. The vibe holds, as after every creator that goes. */
  ended(_cause: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#letGo?.();
    if (this.#vibe) {
      this.#context.openDoors.delete(this);
      this.#context.metrics.ingestConnections.dec({ door: DOOR });
      this.#context.metrics.rtcSessions.dec({ door: DOOR });
    }
    this.#onEnded();
  }

  supersede(problem: Problem): void {
    this.end(problem.code);
  }

  refuse(problem: Problem): void {
    this.end(problem.code);
  }

  end(cause: string): void {
    this.#session?.end(cause);
  }

  /** A browser cannot be held back: what finds no room is gone, and counted. Anything else ends the session. */
  #refused(error: unknown, bytes: number): void {
    const { clock, logger } = this.#context;
    const { vibeId } = this;
    if (!(error instanceof Problem)) {
      logger.error({ err: error, vibeId }, 'a browser’s audio could not be taken');
      this.end('internal-error');
      return;
    }
    if (error.code !== 'buffer-full') {
      this.end(error.code);
      return;
    }
    this.#droppedBytes += bytes;
    if (clock.nowMs() - this.#talliedMs < TALLY_MS) return;
    this.#talliedMs = clock.nowMs();
    logger.warn({ vibeId, droppedBytes: this.#droppedBytes }, 'a browser sends more audio than fits');
  }
}
