import { type PcmFormat, sampleBytes } from '../audio/pcm';
import type { Timer } from '../base/clock';
import { Problem } from '../base/errors';
import type { Claim } from '../vibes/ownership';
import type { Vibe } from '../vibes/vibe';
import { resolveFormat, type SaidFormat } from './audio-format';
import { checkLength, rawChunk } from './audio-json';
import type { HttpContext } from './context';
import { parseJson } from './json-body';
import { helloMessage, validate } from './schemas';
import type { WebSocketLink } from './websocket-link';

/** A creator gets a receipt at least this often, and at most every `ACK_MS`. */
const TICK_MS = 1_000;
const ACK_MS = 200;
/** A creator may be silent for `HOLD_SECONDS`, and at least for this. */
const MIN_IDLE_MS = 10_000;

/** What a creator said when it connected: by query and headers. */
export interface IngestRequest {
  readonly vibeId: string;
  readonly claim: Claim;
  readonly said: SaidFormat;
}

/**
 * A creator's WebSocket. Each binary message is a chunk of whole samples; an optional first text message says who
 * sends and in what format. The vibe is found or started by the hello, or by the first audio.
 */
export class WebSocketIngest {
  readonly #link: WebSocketLink;
  readonly #context: HttpContext;
  readonly #vibeId: string;
  readonly #ticking: Timer;
  #claim: Claim;
  #format: PcmFormat;
  #vibe: Vibe | undefined;
  #letGo: () => void = () => undefined;
  #acceptedBytes = 0;
  #sequence = 0;
  #heardMs: number;
  #ackedMs: number;

  /** @throws {Problem} where the creator can be refused at once */
  constructor(link: WebSocketLink, request: IngestRequest, context: HttpContext) {
    const { clock, registry, metrics } = context;
    this.#link = link;
    this.#context = context;
    this.#vibeId = request.vibeId;
    this.#claim = request.claim;
    this.#format = resolveFormat(request.said);
    // Whoever names nobody and no format may still do so in its hello.
    const isComplete = request.claim.creator !== undefined && Object.values(request.said).some(Boolean);
    if (isComplete) registry.check(request.vibeId, request.claim, this.#format);
    this.#heardMs = clock.nowMs();
    this.#ackedMs = this.#heardMs;
    this.#ticking = clock.every(TICK_MS, () => this.#tick(), { background: true });
    metrics.ingestConnections.inc({ door: 'websocket' });
    link.onClosed(() => this.#close());
    link.onMessage((data, isBinary) => this.#onMessage(data, isBinary));
    this.#sendReady();
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    try {
      this.#heardMs = this.#context.clock.nowMs();
      if (isBinary) this.#onAudio(data);
      else this.#onText(data);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #onAudio(bytes: Buffer): void {
    if (bytes.length === 0 || bytes.length % sampleBytes(this.#format) > 0) rawChunk(bytes, this.#format);
    checkLength({ bytes, format: this.#format }, this.#context.config);
    const vibe = this.#vibe ?? this.#attach();
    const receipt = vibe.push(bytes, { door: 'websocket', arrivedMs: this.#heardMs });
    this.#acceptedBytes += receipt.accepted;
    this.#sequence = receipt.sequence;
    if (this.#heardMs - this.#ackedMs >= ACK_MS) this.#sendAck(receipt.bufferedMs);
  }

  #onText(data: Buffer): void {
    if (this.#vibe)
      throw new Problem('bad-request', 'A hello comes first or not at all; then there is only audio.');
    const hello = validate(helloMessage, parseJson(data));
    const { creator = this.#claim.creator, ownerKey = this.#claim.ownerKey } = hello;
    this.#claim = {
      ...this.#claim,
      ...(creator === undefined ? {} : { creator }),
      ...(ownerKey === undefined ? {} : { ownerKey }),
    };
    this.#format = resolveFormat({
      format: hello.format ?? this.#format.sampleFormat,
      endian: hello.endian,
      sampleRate: hello.sampleRate ?? this.#format.sampleRate,
      channels: hello.channels ?? this.#format.channels,
    });
    this.#attach();
    this.#sendReady();
  }

  /** Finds the vibe or starts it, and takes over from an older connection. */
  #attach(): Vibe {
    const vibe = this.#context.registry.accept(this.#vibeId, this.#claim, this.#format);
    this.#letGo = vibe.takeOver({ supersede: (problem) => this.#refuse(problem) });
    this.#vibe = vibe;
    return vibe;
  }

  #tick(): void {
    if (this.#link.isOver) return;
    const { clock, config } = this.#context;
    const nowMs = clock.nowMs();
    const idleMs = Math.max(MIN_IDLE_MS, config.holdSeconds * 1000);
    if (nowMs - this.#heardMs >= idleMs)
      this.#refuse(new Problem('idle', `Nothing came for ${idleMs / 1000} s.`));
    else this.#sendAck(this.#vibe?.bufferedMs ?? 0);
  }

  #sendReady(): void {
    const vibe = this.#vibe ?? this.#seen();
    this.#sequence = vibe?.lastSequence ?? 0;
    this.#link.send({
      type: 'ready',
      vibeId: this.#vibeId,
      state: vibe?.state ?? 'starting',
      format: this.#format.sampleFormat,
      sampleRate: this.#format.sampleRate,
      channels: this.#format.channels,
      bufferedMs: vibe?.bufferedMs ?? 0,
      sequence: this.#sequence,
    });
  }

  /** The vibe that there is already; nothing where it is private, and who connected has not shown that it is theirs. */
  #seen(): Vibe | undefined {
    const vibe = this.#context.registry.get(this.#vibeId);
    try {
      vibe?.ownership.checkListener(this.#claim);
      return vibe;
    } catch (error) {
      if (error instanceof Problem) return undefined;
      throw error;
    }
  }

  #sendAck(bufferedMs: number): void {
    this.#ackedMs = this.#context.clock.nowMs();
    this.#link.send({ type: 'ack', accepted: this.#acceptedBytes, bufferedMs, sequence: this.#sequence });
  }

  /** A last receipt tells what was taken; then the reason and the close. */
  #refuse(error: unknown): void {
    if (this.#link.isOver) return;
    if (this.#acceptedBytes > 0) this.#sendAck(this.#vibe?.bufferedMs ?? 0);
    this.#link.refuse(this.#problem(error));
  }

  #problem(error: unknown): Problem {
    const { registry, logger } = this.#context;
    if (!(error instanceof Problem)) {
      logger.error({ err: error, vibeId: this.#vibeId }, 'a creator’s connection failed');
      return new Problem('internal-error', 'Something went wrong; the log knows more.');
    }
    // Vibes end because the relay does: the creator shall come back.
    if (error.code === 'vibe-ending' && registry.draining)
      return new Problem('draining', 'The relay is restarting.');
    return error;
  }

  #close(): void {
    this.#ticking.cancel();
    this.#letGo();
    this.#context.metrics.ingestConnections.dec({ door: 'websocket' });
  }
}
