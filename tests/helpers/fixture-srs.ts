import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { AUDIO_TAG, FLV_HEADER, flvTag } from '../../src/media-server/flv';
import { MESSAGE } from '../../src/media-server/rtmp/chunks';
import { RtmpPlayDoor, type RtmpPlayConnection } from './rtmp-play-door';

/** Calls a hook of the relay; gives what it answered. Only players are kept waiting. */
export type CallHook = (
  action: string,
  body: Record<string, unknown>,
) => { code: number } | Promise<{ code: number }>;

const AAC_HEADER = Buffer.from([0xaf, 0, 0x11, 0x90]);
const AAC_FRAME = Buffer.from([0xaf, 1, 0x21, 0x10]);

interface Client {
  readonly url: string;
  readonly publishing: boolean;
  /** Gets audio, where it is a player. */
  hear?(body: Buffer): void;
  end(): void;
  /** Whether it plays on when the publisher goes. */
  readonly staysOn?: boolean;
}

/**
 * An SRS of a few lines: its API, HTTP-FLV and hooks over real HTTP, in the shapes that 7.0.18 was seen to use, and RTMP
 * for players. What it does wrong is in the test's hand. Publishers need no RTMP here: `publish` is one.
 */
export class FixtureSrs {
  /** As SRS's API lists them. */
  readonly clients = new Map<string, Client>();
  readonly kicked: string[] = [];
  /** Paths that the API was asked for. */
  readonly asked: string[] = [];
  /** Publishes are accepted, and players of them hear nothing. */
  deaf = false;
  /** The name is busy for every publish, though nobody has it. */
  ghost = false;
  /** Requests are taken and not answered. */
  hung = false;
  /** Hooks that only tell something do not arrive. */
  losesHooks = false;
  service = 'service-0';
  pid = 4711;
  version = '7.0.18';
  callHook: CallHook = () => ({ code: 0 });
  readonly #api = http.createServer((req, res) => this.#answer(req, res));
  readonly #http = http.createServer((req, res) => void this.#play(req, res));
  /** Where RTMP players come in. */
  readonly rtmp = new RtmpPlayDoor();
  #ids = 0;
  #apiPort = 0;
  #httpPort = 0;

  get apiPort(): number {
    return this.#apiPort;
  }

  get httpPort(): number {
    return this.#httpPort;
  }

  /** Listens; again on the same ports after `stop`. */
  async start(): Promise<void> {
    this.#apiPort = await listen(this.#api, this.#apiPort);
    this.#httpPort = await listen(this.#http, this.#httpPort);
    this.rtmp.onPlay = (connection) => this.#playRtmp(connection);
    await this.rtmp.listen();
  }

  /** As if killed: nobody is told. */
  async stop(): Promise<void> {
    for (const client of this.clients.values()) client.end();
    this.clients.clear();
    await Promise.all([...[this.#api, this.#http].map(close), this.rtmp.close()]);
  }

  /** Another process, with no clients. */
  async restart(): Promise<void> {
    await this.stop();
    this.service = `service-${(this.#ids += 1)}`;
    this.pid += 1;
    await this.start();
  }

  /** An encoder comes with the URL that it was given. @returns its client id, or what it was refused with */
  publish(publishUrl: string, app = 'live'): { clientId: string; code: number } {
    const url = new URL(publishUrl);
    const stream = url.pathname.split('/').at(-1) as string;
    const clientId = `publisher-${(this.#ids += 1)}`;
    const body = this.#body('on_publish', clientId, stream, url.search, app);
    const { code } = this.callHook('on_publish', body) as { code: number };
    if (code !== 0 || this.ghost) return { clientId, code: code || 1028 };
    const path = `/${app}/${stream}`;
    this.clients.set(clientId, { url: path, publishing: true, end: () => undefined });
    this.#sendTo(path, AAC_HEADER);
    this.sound(stream, 1);
    return { clientId, code };
  }

  /** So many AAC frames of what is published are handed on. */
  sound(stream: string, aacFrames: number): void {
    for (let frame = 0; frame < aacFrames; frame += 1) this.#sendTo(`/live/${stream}`, AAC_FRAME);
  }

  /** A publisher is gone, and its HTTP-FLV players are sent away. */
  unpublish(clientId: string): void {
    const client = this.clients.get(clientId);
    if (!client) return;
    this.clients.delete(clientId);
    const stream = client.url.split('/').at(-1) as string;
    this.#tell('on_unpublish', clientId, stream, '');
    for (const player of [...this.clients.values()])
      if (player.url === client.url && !player.staysOn) player.end();
  }

  /** A client that is only in the API: its hook was lost. */
  addClient(clientId: string, url: string, publishing = false): void {
    this.clients.set(clientId, { url, publishing, end: () => undefined });
  }

  #tell(action: string, clientId: string, stream: string, param: string): void {
    if (!this.losesHooks) void this.callHook(action, this.#body(action, clientId, stream, param));
  }

  #body(action: string, clientId: string, stream: string, param: string, app = 'live') {
    return {
      ...{ server_id: 'fixture', service_id: this.service, action, client_id: clientId, ip: '127.0.0.1' },
      ...{ vhost: '__defaultVhost__', app, stream, param, stream_url: `/${app}/${stream}` },
    };
  }

  #answer(req: http.IncomingMessage, res: http.ServerResponse): void {
    this.asked.push(`${req.method} ${req.url}`);
    if (this.hung) return;
    const envelope = { code: 0, server: 'fixture', service: this.service, pid: String(this.pid) };
    const { pathname } = new URL(req.url as string, 'http://srs');
    if (req.method === 'DELETE') {
      const clientId = decodeURIComponent(pathname.split('/').at(-1) as string);
      const client = this.clients.get(clientId);
      this.kicked.push(clientId);
      json(res, { code: client ? 0 : 2049 });
      if (client?.publishing) this.unpublish(clientId);
      else client?.end();
    } else if (pathname === '/api/v1/versions') {
      json(res, { ...envelope, data: { version: this.version } });
    } else if (pathname === '/api/v1/streams/') {
      json(res, { ...envelope, streams: this.#streams() });
    } else if (pathname === '/api/v1/clients/') {
      const clients = [...this.clients].map(([id, { url, publishing }]) => ({
        id,
        url,
        publish: publishing,
      }));
      json(res, { ...envelope, clients });
    } else {
      json(res, { code: 2048 });
    }
  }

  #streams(): Record<string, unknown>[] {
    const urls = new Set([...this.clients.values()].map(({ url }) => url));
    return [...urls].map((url) => {
      const here = [...this.clients].filter(([, client]) => client.url === url);
      const publisher = here.find(([, { publishing }]) => publishing);
      return {
        ...{ id: `vid-${url}`, name: url.split('/').at(-1), vhost: 'vid-1', app: 'live', url, frames: 0 },
        clients: here.length,
        publish: publisher ? { active: true, cid: publisher[0] } : { active: false },
        audio: publisher ? { codec: 'AAC', sample_rate: 44100, channel: 2, profile: 'LC' } : null,
      };
    });
  }

  #sendTo(path: string, body: Buffer): void {
    if (this.deaf) return;
    for (const client of this.clients.values()) if (client.url === path) client.hear?.(body);
  }

  #isPublished(path: string): boolean {
    return [...this.clients.values()].some(({ url, publishing }) => url === path && publishing);
  }

  async #mayPlay(clientId: string, stream: string, param: string): Promise<boolean> {
    if (this.losesHooks) return true;
    return (await this.callHook('on_play', this.#body('on_play', clientId, stream, param))).code === 0;
  }

  async #play(req: http.IncomingMessage, res: http.ServerResponse): Promise<void> {
    if (this.hung) return;
    const { pathname, search } = new URL(req.url as string, 'http://srs');
    const url = pathname.replace(/\.flv$/, '');
    const stream = url.split('/').at(-1) as string;
    const clientId = `player-${(this.#ids += 1)}`;
    if (!(await this.#mayPlay(clientId, stream, search))) {
      res.destroy();
      return;
    }
    // Nothing at all comes before the first audio, not even a header.
    const hear = (body: Buffer): void => {
      if (!res.headersSent) res.write(FLV_HEADER);
      res.write(flvTag(AUDIO_TAG, 0, body));
    };
    this.clients.set(clientId, { url, publishing: false, hear, end: () => res.destroy() });
    res.on('close', () => {
      if (this.clients.delete(clientId)) this.#tell('on_stop', clientId, stream, search);
    });
    if (this.#isPublished(url) && !this.deaf) [AAC_HEADER, AAC_FRAME].forEach(hear);
  }

  async #playRtmp(connection: RtmpPlayConnection): Promise<boolean> {
    const [stream = '', query = ''] = connection.stream.split('?');
    const url = `/live/${stream}`;
    const clientId = `player-${(this.#ids += 1)}`;
    if (!(await this.#mayPlay(clientId, stream, `?${query}`))) return false;
    const hear = (body: Buffer): void => connection.send(MESSAGE.audio, body);
    this.clients.set(clientId, { url, publishing: false, hear, end: () => connection.end(), staysOn: true });
    connection.onClose(() => {
      if (this.clients.delete(clientId)) this.#tell('on_stop', clientId, stream, query);
    });
    if (this.#isPublished(url) && !this.deaf) [AAC_HEADER, AAC_FRAME].forEach(hear);
    return true;
  }
}

function json(res: http.ServerResponse, body: unknown): void {
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify(body));
}

async function listen(server: http.Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function close(server: http.Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
