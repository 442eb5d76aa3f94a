import dgram from 'node:dgram';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { sdp } from './sdp';

/** What SRS does with an offer. */
export type RtcBehaviour =
  'accepts' | 'hangs-up' | 'is-silent' | 'is-busy' | 'fails' | 'answers-nonsense' | 'floods';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly type: string | undefined;
  readonly body: string;
}

/** SRS as far as WebRTC goes: its doors for offers, and its UDP port, from which a test sends. */
export class FakeSrsRtc {
  readonly requests: SeenRequest[] = [];
  /** Where binding requests came from. */
  readonly peers: dgram.RemoteInfo[] = [];
  behaviour: RtcBehaviour = 'accepts';
  /** Called before an offer is answered, as SRS calls its hooks. */
  onOffer: (request: SeenRequest) => boolean = () => true;
  readonly #server: http.Server;
  readonly #udp = dgram.createSocket('udp4');

  private constructor() {
    this.#server = http.createServer((req, res) => {
      const parts: Buffer[] = [];
      req.on('data', (bytes: Buffer) => parts.push(bytes));
      req.on('end', () => this.#answer(req, res, Buffer.concat(parts).toString()));
    });
    this.#udp.on('message', (_datagram, peer) => {
      this.peers.push(peer);
      this.#udp.send(Buffer.from('010100002112a442000000000000000000000000', 'hex'), peer.port, peer.address);
    });
  }

  static async open(): Promise<FakeSrsRtc> {
    const srs = new FakeSrsRtc();
    await new Promise<void>((resolve) => srs.#server.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => srs.#udp.bind(0, '127.0.0.1', resolve));
    return srs;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get rtcPort(): number {
    return this.#udp.address().port;
  }

  /** Sends a datagram to whoever came last. */
  send(datagram: Buffer): void {
    const peer = this.peers.at(-1);
    if (!peer) throw new Error('nobody came');
    this.#udp.send(datagram, peer.port, peer.address);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
  }

  #answer(req: http.IncomingMessage, res: http.ServerResponse, body: string): void {
    const url = new URL(req.url ?? '', 'http://srs');
    const { pathname: path, searchParams: query } = url;
    const method = req.method ?? '';
    const seen = { method, path, query, type: req.headers['content-type'], body };
    this.requests.push(seen);
    const behaviour = method === 'DELETE' ? 'accepts' : this.behaviour;
    if (behaviour === 'is-silent') return;
    if (behaviour === 'hangs-up' || (method === 'POST' && !this.onOffer(seen))) {
      req.socket.destroy();
      return;
    }
    if (method === 'DELETE') res.end();
    else if (behaviour === 'is-busy') res.writeHead(400).end('{"code":5020}');
    else if (behaviour === 'fails') res.writeHead(500).end();
    else if (behaviour === 'floods') res.writeHead(201).end(Buffer.alloc(1_000_000));
    else if (path === '/rtc/v1/play/') res.end(this.#play(behaviour));
    else this.#sdp(res, behaviour);
  }

  #play(behaviour: RtcBehaviour): string {
    if (behaviour === 'answers-nonsense') return '{"code":400}';
    return JSON.stringify({ code: 0, sdp: sdp({ direction: 'sendonly' }) });
  }

  #sdp(res: http.ServerResponse, behaviour: RtcBehaviour): void {
    const location = '/rtc/v1/whip/?action=delete&token=of-srs&session=abc';
    const text = behaviour === 'answers-nonsense' ? 'nonsense' : sdp({ direction: 'recvonly' });
    res.writeHead(201, { 'Content-Type': 'application/sdp', Location: location }).end(text);
  }
}
