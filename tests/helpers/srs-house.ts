import { delay, eventually } from './eventually';
import { FlvListener } from './flv-listener';
import { HookServer } from './hook-server';
import { RtmpPublisher } from './rtmp-publisher';
import { Srs, type SrsOptions } from './srs';

/** What a connection on the same machine may take to be answered, on a busy one. */
const ANSWER_MS = 3_000;
/** SRS keeps a stream for 3 s after the last who published or played it, and looks every 3 s. */
const FORGOTTEN_MS = 6_500;
const MAX_TRIES = 3;

/** A real SRS with hooks that a test answers, and everybody who came to it; all of it is gone after `close`. */
export class SrsHouse {
  readonly hooks: HookServer;
  readonly srs: Srs;
  readonly #publishers: RtmpPublisher[] = [];
  readonly #listeners: FlvListener[] = [];

  private constructor(hooks: HookServer, srs: Srs) {
    this.hooks = hooks;
    this.srs = srs;
  }

  static async open(options: Omit<SrsOptions, 'hooksUrl'> = {}): Promise<SrsHouse> {
    const hooks = await HookServer.start();
    try {
      return new SrsHouse(hooks, await Srs.start({ ...options, hooksUrl: hooks.url }));
    } catch (error) {
      await hooks.close();
      throw error;
    }
  }

  /** Starts a publisher; whether it is let in is another matter. */
  publisher(name: string, rtmpPort = this.srs.ports.rtmp): RtmpPublisher {
    const publisher = new RtmpPublisher(`rtmp://127.0.0.1:${rtmpPort}/live/${name}`);
    this.#publishers.push(publisher);
    return publisher;
  }

  /** A publisher that was let in: SRS's API says so. */
  async publish(name: string): Promise<RtmpPublisher> {
    const publisher = this.publisher(name);
    await eventually(`${name} is published`, async () => {
      if (!publisher.isRunning) throw new Error(`refused: ${(await publisher.ended).said}`);
      return (await this.srs.stream(name))?.publish.active;
    });
    return publisher;
  }

  /**
   * A publisher that was let in and is heard. Now and then SRS 6 and 7 let one in and lose what it sends (they sweep up
   * its stream before it is in use): that one is told of, and published again.
   */
  async onAir(name: string): Promise<RtmpPublisher> {
    for (let tries = 1; ; tries += 1) {
      const publisher = await this.publish(name);
      if (await this.isHeard(name)) return publisher;
      console.warn(`${name}: SRS ${this.srs.version} let a publisher in and nobody heard it`);
      await publisher.stop('SIGKILL');
      if (tries === MAX_TRIES) throw new Error(`${name} was published ${tries} times and never heard`);
      await delay(FORGOTTEN_MS);
    }
  }

  /** A listener, as soon as SRS answers it, or `undefined` where it has not within some seconds. */
  async listen(name: string, withinMs = ANSWER_MS): Promise<FlvListener | undefined> {
    const connecting = FlvListener.connect(this.srs.flvUrl(name));
    // Who is never answered is cut off when SRS ends.
    connecting.then(
      (listener) => this.#listeners.push(listener),
      () => undefined,
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), withinMs);
    });
    return Promise.race([connecting, late]).finally(() => clearTimeout(timer));
  }

  /** A listener who hears something. */
  async hear(name: string): Promise<FlvListener> {
    const listener = await this.listen(name);
    if (!listener) throw new Error(`${name}: no answer to a listener within ${ANSWER_MS} ms`);
    await listener.until('sound', () => listener.frames.length > 2, ANSWER_MS);
    return listener;
  }

  /** Whether a new listener hears anything. */
  async isHeard(name: string): Promise<boolean> {
    return this.hear(name).then(
      (listener) => {
        listener.leave();
        return true;
      },
      () => false,
    );
  }

  async close(): Promise<void> {
    for (const listener of this.#listeners) listener.leave();
    await Promise.all(this.#publishers.map((publisher) => publisher.stop('SIGKILL')));
    await this.srs.stop();
    await this.hooks.close();
  }
}
