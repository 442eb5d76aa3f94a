import { createDoorkeeper, type Doorkeeper } from '../../src/auth/doorkeeper';
import type { Config } from '../../src/base/config';
import type { WebRtc } from '../../src/http/context';
import { createHttpServer, type HttpServer } from '../../src/http/server';
import { HookDesk } from '../../src/media-server/srs/hook-desk';
import type { Vibe } from '../../src/vibes/vibe';
import { VibeRegistry } from '../../src/vibes/registry';
import { httpRequest, type HttpAnswer, type HttpRequest } from './http-request';
import { FakeHouse } from './vibe-house';

const CONFIG = {
  port: 0,
  host: '127.0.0.1',
  publicUrl: 'http://relay.test',
  playbackUrl: 'http://media.test:8080',
  rtmpUrl: 'rtmp://127.0.0.1:1935/live',
  authMode: 'open',
  authAudience: 'vibesflow',
  corsOrigins: '*',
  trustProxy: 'loopback',
  holdSeconds: 30,
  leaseSeconds: 60,
  maxBufferSeconds: 30,
  maxStreams: 200,
  maxRequestsPerMinute: 3_000,
  maxConnectionsPerAddress: 256,
  maxFailedLogins: 20,
  prebufferMs: 600,
} as const satisfies Partial<Config>;

/** The real HTTP listener and registry in a house without processes; the clock is in the test's hand. */
export class HttpHouse {
  readonly config: Config;
  readonly house: FakeHouse;
  readonly registry: VibeRegistry;
  readonly server: HttpServer;
  readonly hooks: HookDesk;
  url = '';
  /** As the journal would say it. */
  journalFault: string | undefined;
  port = 0;

  private constructor(
    whole: Config,
    house: FakeHouse,
    doorkeeper: Doorkeeper,
    { webRtc, openFiles }: { webRtc?: WebRtc; openFiles?: number },
  ) {
    this.config = whole;
    this.house = house;
    this.registry = new VibeRegistry(this.house);
    this.hooks = new HookDesk(this.house);
    const doors = {
      config: whole,
      registry: this.registry,
      doorkeeper,
      mediaServerHealth: () => this.house.mediaServer.health,
      journalFault: () => this.journalFault,
      hooks: this.hooks,
      webRtc,
      clock: this.house.clock,
      logger: this.house.logger,
      metrics: this.house.metrics,
      version: '1.2.3',
    };
    this.server = createHttpServer(doors, openFiles);
  }

  /**
   * @param webRtc none unless told, as with the embedded media server
   * @param openFiles descriptors that it believes to have
   */
  static async open(config: Partial<Config> = {}, webRtc?: WebRtc, openFiles?: number): Promise<HttpHouse> {
    const whole = { ...CONFIG, ...config } as Config;
    const fake = new FakeHouse(whole);
    const { clock, logger } = fake;
    const doorkeeper = await createDoorkeeper({ config: whole, clock, logger });
    const house = new HttpHouse(whole, fake, doorkeeper, { webRtc, openFiles });
    house.port = await house.server.listen();
    house.url = `http://127.0.0.1:${house.port}`;
    return house;
  }

  vibe(vibeId = 'v'): Vibe {
    return this.registry.require(vibeId);
  }

  request(path: string, request: HttpRequest = {}): Promise<HttpAnswer> {
    return httpRequest(`${this.url}${path}`, request);
  }

  /** A request whose answer is JSON; with `json`, a POST of it. */
  async ask(
    path: string,
    request: HttpRequest & { json?: unknown } = {},
  ): Promise<{ status: number; headers: HttpAnswer['headers']; json: Record<string, unknown> }> {
    const { json, ...rest } = request;
    const posting: HttpRequest =
      json === undefined
        ? rest
        : {
            method: 'POST',
            body: JSON.stringify(json),
            ...rest,
            headers: { 'content-type': 'application/json', ...rest.headers },
          };
    const answer = await this.request(path, posting);
    const parsed = JSON.parse(answer.body.toString()) as Record<string, unknown>;
    return { status: answer.status, headers: answer.headers, json: parsed };
  }

  /** Posts audio. Raw bytes unless the headers say otherwise. */
  post(path: string, body: Buffer | string, headers: Record<string, string> = {}) {
    return this.ask(path, { method: 'POST', body, headers: { 'content-type': 'audio/pcm', ...headers } });
  }

  /** Lets time pass until `promise` settles, in steps of 100 ms. */
  async passTimeUntil<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    while (!isSettled) {
      this.house.clock.advance(100);
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
    return settled;
  }

  /** Everything that the encoder got once the vibe has played out, as one buffer. */
  async playedOut(vibeId = 'v'): Promise<Buffer> {
    await this.passTimeUntil(this.vibe(vibeId).end({ drain: true, cause: 'test' }));
    return this.house.encoder.bytes;
  }

  async close(): Promise<void> {
    await this.passTimeUntil(Promise.all([this.server.close(), this.registry.close()]));
  }
}
