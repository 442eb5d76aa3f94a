import type { Problem } from '../../src/base/errors';
import type { WebRtc, WebRtcSession } from '../../src/http/context';

/** A browser's session as a test has it in hand. */
export class FakeRtcSession implements WebRtcSession {
  readonly answer = 'v=0\r\n';
  /** Why it was ended; nothing while it goes on. */
  ended: string | undefined;

  constructor(
    readonly asked: Readonly<Record<string, unknown>>,
    readonly onEnded: (cause: string) => void,
    /** Hands audio over as a decoder does. */
    readonly audio: (pcm: Buffer) => void = () => undefined,
  ) {}

  end(cause: string): void {
    if (this.ended !== undefined) return;
    this.ended = cause;
    this.onEnded(cause);
  }
}

/** WebRTC without a media server: takes every offer, unless told to refuse. */
export class FakeWebRtc implements WebRtc {
  readonly publishers: FakeRtcSession[] = [];
  readonly players: FakeRtcSession[] = [];
  refusal: Problem | undefined;

  publish: WebRtc['publish'] = async (publish, events) => {
    this.#refuse();
    const session = new FakeRtcSession(
      { ...publish },
      (cause) => events.ended(cause),
      (pcm) => events.audio(pcm),
    );
    this.publishers.push(session);
    return session;
  };

  play: WebRtc['play'] = async (play, ended) => {
    this.#refuse();
    const session = new FakeRtcSession({ ...play }, ended);
    this.players.push(session);
    return session;
  };

  #refuse(): void {
    if (this.refusal) throw this.refusal;
  }
}
