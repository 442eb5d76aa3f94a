import type { PcmFormat } from '../../audio/pcm';
import type { Clock, Timer } from '../../base/clock';
import { once } from '../../base/closer';
import type { Logger } from '../../base/logger';
import type { Metrics } from '../../base/metrics';
import type { FfmpegEnd, FfmpegTools } from './ffmpeg-child';
import { OPUS_RATE, opusSamples, silentOpus } from './opus';
import type { SrsRtcApi } from './rtc-api';
import type { RtcTickets } from './rtc-tickets';
import type { InOrder } from './rtp-order';
import { WhipDecoder } from './whip-decoder';
import { WhipReceiver } from './whip-receiver';

export const WHIP_VHOST = 'whip';

/** What a browser that publishes is told of, by the one who takes its audio. */
export interface WhipEvents {
  /** PCM in the format that was asked for. */
  audio(pcm: Buffer): void;
  /** It is over. Once. */
  ended(cause: string): void;
}

export interface WhipSessionOptions extends WhipEvents {
  /** The name under which SRS has it: one for each session, so that none is ever in use. */
  readonly stream: string;
  /** SRS's path to end the browser's session. */
  readonly location: string;
  readonly format: PcmFormat;
  readonly house: WhipHouse;
}

/** What a session needs of the gateway. */
export interface WhipHouse {
  readonly api: Pick<SrsRtcApi, 'receivePlain' | 'end'>;
  readonly tickets: RtcTickets;
  readonly tools: FfmpegTools;
  /** Where SRS takes WebRTC, seen from here. */
  readonly rtcAddress: { readonly host: string; readonly port: number };
  /** A browser that sends nothing for so long is gone. */
  readonly idleMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What ICE and DTLS may take, over a slow network too. */
const CONNECT_MS = 15_000;
const LOOK_MS = 1_000;
/** SRS knows the stream once it has answered the offer; should it be slow about it, it is asked again. */
const RECEIVE_TRIES = 3;
const RETRY_MS = 300;
/** A decoder that lived for as long as this may have another. */
const STEADY_MS = 5_000;
/** More silence than this does not stand in for lost packets: it would only come later than what follows. */
const MAX_CONCEALED_SAMPLES = OPUS_RATE / 5;

/** One browser that publishes: its packets come from SRS, become PCM, and are handed on. */
export class WhipSession {
  readonly stream: string;
  readonly #options: WhipSessionOptions;
  readonly #receiver: WhipReceiver;
  readonly #looking: Timer;
  #decoder: WhipDecoder;
  #decoderSinceMs: number;
  #heardMs: number;
  #isHeard = false;
  #packetSamples = 960;
  #isOver = false;

  constructor(options: WhipSessionOptions) {
    const { house, stream } = options;
    const { api, clock, rtcAddress } = house;
    this.stream = stream;
    this.#options = options;
    this.#receiver = new WhipReceiver({
      ...{ api, clock, stream, vhost: WHIP_VHOST, address: rtcAddress },
      onPacket: (one) => this.#take(one),
    });
    this.#heardMs = clock.nowMs();
    this.#decoderSinceMs = this.#heardMs;
    // A stream that is joined while its decoder still starts comes in one lump then, and is that much late for good.
    this.#decoder = this.#createDecoder(() => void this.#receive());
    this.#looking = clock.every(LOOK_MS, () => this.#look(), { background: true });
  }

  /** Ends it here and in SRS; what was decoded is still handed over. Idempotent. */
  end(cause: string): void {
    void this.close(cause);
  }

  /** Resolves when nothing is left of it. */
  async close(cause: string): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#looking.cancel();
      const { house, stream } = this.#options;
      house.logger.info({ stream, cause, latePackets: this.#receiver.latePackets }, 'a WHIP session ended');
      this.#options.ended(cause);
    }
    await this.#closing();
  }

  readonly #closing = once(async () => {
    const { house, location } = this.#options;
    this.#receiver.close();
    await Promise.all([house.api.end(location), this.#decoder.close()]);
  });

  async #receive(): Promise<void> {
    const { house, stream } = this.#options;
    for (let attempt = 1; !this.#isOver; attempt += 1) {
      const { token, revoke } = house.tickets.issue('on_play', WHIP_VHOST, stream);
      try {
        await this.#receiver.open(token);
        return;
      } catch (error) {
        house.logger.warn({ err: error, stream, attempt }, 'a browser’s stream cannot be fetched from SRS');
        if (attempt < RECEIVE_TRIES)
          await new Promise<void>((resolve) => house.clock.after(RETRY_MS, resolve, { background: true }));
        else this.end('not-fetched');
      } finally {
        revoke();
      }
    }
  }

  #take({ packet, missing }: InOrder): void {
    const { clock, metrics } = this.#options.house;
    if (this.#isOver) return;
    this.#isHeard = true;
    this.#heardMs = clock.nowMs();
    if (missing > 0) {
      metrics.whipPacketsLost.inc(missing);
      const gap = Math.min(missing * this.#packetSamples, MAX_CONCEALED_SAMPLES);
      for (const silent of silentOpus(gap)) this.#decoder.write(silent);
    }
    const samples = opusSamples(packet.payload);
    if (samples === 0) return;
    this.#packetSamples = samples;
    this.#decoder.write(packet.payload);
  }

  #look(): void {
    const quietMs = this.#options.house.clock.nowMs() - this.#heardMs;
    if (quietMs < (this.#isHeard ? this.#options.house.idleMs : CONNECT_MS)) return;
    this.end(this.#isHeard ? 'idle' : 'never-connected');
  }

  #createDecoder(onWarm?: () => void): WhipDecoder {
    const { house, format } = this.#options;
    return new WhipDecoder({
      tools: house.tools,
      clock: house.clock,
      format,
      onWarm,
      onPcm: (bytes) => this.#options.audio(bytes),
      onDeath: (end) => this.#replaceDecoder(end),
    });
  }

  #replaceDecoder(end: FfmpegEnd): void {
    const { house, stream } = this.#options;
    if (this.#isOver) return;
    house.logger.error({ ...end, stream }, 'the decoder of a WHIP session died');
    const nowMs = house.clock.nowMs();
    if (nowMs - this.#decoderSinceMs < STEADY_MS) {
      this.end('decoder-failed');
      return;
    }
    this.#decoderSinceMs = nowMs;
    this.#decoder = this.#createDecoder();
  }
}
