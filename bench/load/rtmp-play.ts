import { decodeAmf0, encodeAmf0 } from '../../src/media-server/rtmp/amf0';
import { MESSAGE, rtmpChunks, RtmpChunkReader } from '../../src/media-server/rtmp/chunks';
import type { Door, Hello } from '../fan-out/crowd-messages';

const HANDSHAKE_BYTES = 1536;
const STREAM_ID = 1;

/** How an RTMP player begins: the handshake, `connect`, `createStream`, `play`. */
export function rtmpPlay({ path, port }: Door): Hello {
  const [app = '', stream = ''] = path.split('/');
  let received = Buffer.alloc(0);
  let replies: Buffer[] = [];
  let outcome: 'playing' | 'refused' | undefined;
  let inHandshake = true;

  const say = (chunkStream: number, payload: Buffer, streamId = 0): void =>
    void replies.push(rtmpChunks({ chunkStream, type: MESSAGE.commandAmf0, payload, streamId }));
  const chunks = new RtmpChunkReader(({ type, payload }) => {
    // The first sound says that it plays.
    if (type === MESSAGE.audio) outcome ??= 'playing';
    if (type !== MESSAGE.commandAmf0) return;
    const [name, transaction] = decodeAmf0(payload);
    if (name === '_error') outcome = 'refused';
    else if (name === '_result' && transaction === 1) say(3, encodeAmf0('createStream', 2, null));
    else if (name === '_result') say(8, encodeAmf0('play', 0, null, stream), STREAM_ID);
  });

  return {
    begin: Buffer.concat([Buffer.from([3]), Buffer.alloc(HANDSHAKE_BYTES)]),
    answer(bytes) {
      replies = [];
      if (inHandshake) {
        received = Buffer.concat([received, bytes]);
        const handshakeEnd = 1 + 2 * HANDSHAKE_BYTES;
        if (received.length < handshakeEnd) return undefined;
        inHandshake = false;
        replies.push(received.subarray(1, 1 + HANDSHAKE_BYTES));
        const tcUrl = `rtmp://127.0.0.1:${port}/${app}`;
        say(3, encodeAmf0('connect', 1, { app, tcUrl, fpad: false, objectEncoding: 0 }));
        if (received.length > handshakeEnd) chunks.push(received.subarray(handshakeEnd));
      } else chunks.push(Buffer.from(bytes));
      return outcome ?? (replies.length > 0 ? Buffer.concat(replies) : undefined);
    },
  };
}
