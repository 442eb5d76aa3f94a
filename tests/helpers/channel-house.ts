import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { Channels, type Publisher } from '../../src/media-server/embedded/channels';
import { FlvParser, type FlvTag } from '../../src/media-server/flv';
import { FakeClock } from './fake-clock';

/** An AAC sequence header: AAC-LC, 48 kHz, stereo. */
export const CONFIG = Buffer.from('af00119056e500', 'hex');
export const CONFIG_44K = Buffer.from('af001210', 'hex');
/** An audio tag's body with a short frame. */
export const FRAME = Buffer.from('af01214f00', 'hex');

/** A publisher without a connection. */
export class FakePublisher implements Publisher {
  isAlive = true;
  #published = true;

  constructor(
    private readonly channels: Channels,
    readonly vibeId: string,
    readonly token = '',
  ) {}

  send(frames: number, config = CONFIG): void {
    this.channels.audio(this, config);
    for (let frame = 0; frame < frames; frame += 1) this.channels.audio(this, FRAME);
  }

  close(): void {
    this.isAlive = false;
    if (!this.#published) return;
    this.#published = false;
    this.channels.unpublish(this);
  }
}

/** What a player’s answer is to a channel: something to write to. */
export class FakeResponse extends Writable {
  readonly tags: FlvTag[] = [];
  headerFlags: number | undefined;
  readonly #parser = new FlvParser({
    onHeader: (flags) => (this.headerFlags = flags),
    onTag: (tag) => this.tags.push({ ...tag, body: Buffer.from(tag.body) }),
  });

  /** Answers write straight to their sockets. */
  get socket(): this {
    return this;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#parser.push(bytes);
    done();
  }

  get times(): number[] {
    return this.tags.filter((tag) => tag.type === 8 && tag.body[1] === 1).map((tag) => tag.timestampMs);
  }

  get configs(): string[] {
    return this.tags
      .filter((tag) => tag.type === 8 && tag.body[1] === 0)
      .map((tag) => tag.body.toString('hex'));
  }
}

/** Channels under a clock that stands still, and everything that they told. */
export class ChannelHouse {
  readonly clock = new FakeClock();
  readonly events: [string, object][] = [];
  readonly channels = new Channels(this.clock, {
    published: (publish) => this.events.push(['published', publish]),
    unpublished: (end) => this.events.push(['unpublished', end]),
    received: (counts) => this.events.push(['received', counts]),
    listeners: (counts) => this.events.push(['listeners', counts]),
    cut: (cut) => this.events.push(['cut', cut]),
  });

  /** As an encoder does: its token is expected. */
  publish(vibeId: string, token = ''): FakePublisher {
    this.channels.expect(vibeId, token);
    return this.publishUnasked(vibeId, token);
  }

  /** As anybody may try. */
  publishUnasked(vibeId: string, token?: string): FakePublisher {
    const publisher = new FakePublisher(this.channels, vibeId, token);
    const refusal = this.channels.publish(publisher);
    if (refusal !== undefined) throw new Error(refusal);
    return publisher;
  }

  async listen(vibeId: string): Promise<FakeResponse> {
    const response = new FakeResponse();
    const channel = await this.channels.find(vibeId, 0);
    if (!channel) throw new Error(`no ${vibeId}`);
    channel.attach(response as unknown as ServerResponse, 'plain');
    return response;
  }

  told(kind: string): object[] {
    return this.events.filter(([name]) => name === kind).map(([, event]) => event);
  }
}
