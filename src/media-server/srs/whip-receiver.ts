import dgram from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Clock, Timer } from '../../base/clock';
import { Problem } from '../../base/errors';
import { type InOrder, RtpOrder } from './rtp-order';
import { parseRtp } from './rtp';
import type { SrsRtcApi } from './rtc-api';
import { sdpAttribute } from './rtc-sdp';
import { bindingRequest } from './stun';

export interface WhipReceiverOptions {
  readonly api: Pick<SrsRtcApi, 'receivePlain'>;
  /** Where SRS takes WebRTC, seen from here. */
  readonly address: { readonly host: string; readonly port: number };
  readonly vhost: string;
  readonly stream: string;
  readonly clock: Clock;
  /** Told of each packet of Opus in its turn. */
  readonly onPacket: (one: InOrder) => void;
}

/** UDP may lose the first of them; SRS forgets who has said nothing for 10 s. */
const KNOCK_MS = 200;
const STAY_MS = 2_000;
const PAYLOAD_TYPE = 111;

/**
 * Fetches a browser's stream from SRS the way a browser would, as RTP, but without encryption, which SRS offers for peers
 * on its own side of the network. So the browser's Opus comes as it was sent, at once. (Over RTMP, SRS turns it into AAC,
 * and gives nothing before the browser's second RTCP report: 8 to 9 s were measured with Chromium.)
 */
export class WhipReceiver {
  readonly #options: WhipReceiverOptions;
  readonly #order = new RtpOrder();
  #socket: dgram.Socket | undefined;
  #timer: Timer | undefined;
  #isHeard = false;
  #isClosed = false;

  constructor(options: WhipReceiverOptions) {
    this.#options = options;
  }

  /** Packets that came after their turn, or twice. */
  get latePackets(): number {
    return this.#order.late;
  }

  /**
   * @param token shown to SRS's hook
   * @throws {Problem} as `SrsRtcApi.receivePlain`
   */
  async open(token: string): Promise<void> {
    const { api, vhost, stream } = this.#options;
    const own = { name: randomBytes(6).toString('hex'), password: randomBytes(16).toString('hex') };
    const sdp = await api.receivePlain({ vhost, stream, token, sdp: receivingOffer(own) });
    const name = sdpAttribute(sdp, 'ice-ufrag');
    const password = sdpAttribute(sdp, 'ice-pwd');
    if (name === undefined || password === undefined)
      throw new Problem('media-server-refused', 'The media server’s answer is none.');
    if (!this.#isClosed) this.#listen(`${name}:${own.name}`, password);
  }

  /** Leaves: SRS forgets who is not heard of. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #listen(username: string, password: string): void {
    const { address, clock } = this.#options;
    const socket = dgram.createSocket(isIPv6(address.host) ? 'udp6' : 'udp4');
    this.#socket = socket;
    // Nobody listens there at the moment, say: the session's own limit on silence decides.
    socket.on('error', () => undefined);
    socket.on('message', (datagram) => this.#take(datagram));
    const knock = (): void => {
      if (this.#socket !== socket) return;
      socket.send(bindingRequest(username, password), () => undefined);
      this.#timer = clock.after(this.#isHeard ? STAY_MS : KNOCK_MS, knock, { background: true });
    };
    // A connected socket takes datagrams from SRS alone.
    socket.once('connect', knock);
    socket.connect(address.port, address.host);
  }

  #take(datagram: Buffer): void {
    this.#isHeard = true;
    const packet = parseRtp(datagram);
    if (!packet || this.#isClosed) return;
    for (const one of this.#order.push(packet, this.#options.clock.nowMs())) this.#options.onPacket(one);
  }
}

/** An offer to receive Opus. No certificate stands behind the fingerprint: there is no encryption. */
function receivingOffer(own: { name: string; password: string }): string {
  return [
    ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0'],
    ...[`m=audio 9 UDP/TLS/RTP/SAVPF ${PAYLOAD_TYPE}`, 'c=IN IP4 0.0.0.0'],
    ...[`a=ice-ufrag:${own.name}`, `a=ice-pwd:${own.password}`],
    `a=fingerprint:sha-256 ${Array<string>(32).fill('00').join(':')}`,
    ...['a=setup:actpass', 'a=mid:0', 'a=recvonly', 'a=rtcp-mux'],
    ...[`a=rtpmap:${PAYLOAD_TYPE} opus/48000/2`, `a=fmtp:${PAYLOAD_TYPE} minptime=10;useinbandfec=1`],
    '',
  ].join('\r\n');
}
