import { SdpOffer, sdpAttribute } from '../../../src/media-server/srs/rtc-sdp';
import { codeOf } from '../../helpers/code-of';
import { sdp } from '../../helpers/sdp';

const ANSWER = sdp({ direction: 'recvonly', extra: ['a=candidate:0 1 udp 1 127.0.0.1 8000 typ host'] });
const VIDEO = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:v', 'a=rtpmap:96 VP8/90000', 'a=sendonly'];
const DATA = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:d'];

function linesOf(text: string): string[] {
  expect(text.endsWith('\r\n')).toBe(true);
  return text.split('\r\n').slice(0, -1);
}

describe('a browser’s offer', () => {
  it('reaches the media server with its audio alone, in a bundle of one', () => {
    const offer = new SdpOffer(sdp({ before: VIDEO, after: DATA, group: 'v 0 d' }), 'sends');
    const lines = linesOf(offer.forMediaServer());
    expect(lines.filter((line) => line.startsWith('m='))).toEqual(['m=audio 9 UDP/TLS/RTP/SAVPF 111 63']);
    expect(lines.filter((line) => line.startsWith('a=group:'))).toEqual(['a=group:BUNDLE 0']);
    expect(lines).toContain('a=ice-ufrag:abcd');
  });

  it('is answered in its own order, what is no audio declined', () => {
    const offer = new SdpOffer(sdp({ before: VIDEO, after: DATA, group: 'v 0 d' }), 'sends');
    const lines = linesOf(offer.answer(ANSWER, {}));
    expect(lines.filter((line) => line.startsWith('m='))).toEqual([
      'm=video 0 UDP/TLS/RTP/SAVPF 96',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111 63',
      'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
    ]);
    expect(lines.slice(lines.indexOf('m=video 0 UDP/TLS/RTP/SAVPF 96')).slice(1, 4)).toEqual([
      'c=IN IP4 0.0.0.0',
      'a=mid:v',
      'a=inactive',
    ]);
    expect(lines).toContain('a=candidate:0 1 udp 1 127.0.0.1 8000 typ host');
  });

  it('without names for its parts is given one for the media server, and answered without', () => {
    const bare = sdp({ mid: undefined, group: undefined });
    const offer = new SdpOffer(bare, 'sends');
    expect(linesOf(offer.forMediaServer())).toEqual(expect.arrayContaining(['a=group:BUNDLE 0', 'a=mid:0']));
    const answer = offer.answer(ANSWER, {});
    expect(answer).not.toContain('a=mid:');
    expect(answer).not.toContain('a=group:');
  });

  it.each([
    ['minptime=10;useinbandfec=1', 'a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;maxaveragebitrate=192000'],
    ['minptime=10; stereo=0', 'a=fmtp:111 minptime=10;stereo=1;maxaveragebitrate=192000'],
    [';useinbandfec=1', 'a=fmtp:111 useinbandfec=1;stereo=1;maxaveragebitrate=192000'],
    [undefined, 'a=fmtp:111 stereo=1;maxaveragebitrate=192000'],
  ])('whose answer says %s of Opus hears what is wanted of it', (fmtp, expected) => {
    const offer = new SdpOffer(sdp(), 'sends');
    const answer = offer.answer(sdp({ fmtp, direction: 'recvonly' }), {
      stereo: 1,
      maxaveragebitrate: 192_000,
    });
    const lines = linesOf(answer);
    expect(lines.filter((line) => line.startsWith('a=fmtp:111'))).toEqual([expected]);
    expect(lines.indexOf(expected)).toBe(lines.indexOf('a=rtpmap:111 opus/48000/2') + 1);
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'invalid-sdp'],
    ['JSON', '{"sdp":"v=0"}', 'invalid-sdp'],
    ['text', 'v=0\r\nno line of SDP\r\n', 'invalid-sdp'],
    ['a control character', 'v=0\r\ns=-\u0000\r\n', 'invalid-sdp'],
    ['half an m= line', 'v=0\r\nm=audio\r\n', 'invalid-sdp'],
    ['no media', 'v=0\r\ns=-\r\n', 'unusable-offer'],
    ['video alone', sdp().replace('m=audio 9', 'm=video 9'), 'unusable-offer'],
    ['audio that is declined', sdp().replace('m=audio 9', 'm=audio 0'), 'unusable-offer'],
    ['no Opus', sdp().replace('opus/48000/2', 'PCMU/8000'), 'unusable-offer'],
    ['RTCP on a port of its own', sdp().replace('a=rtcp-mux\r\n', ''), 'unusable-offer'],
    ['no ICE', sdp().replace(/a=ice-pwd.*\r\n/, ''), 'unusable-offer'],
    ['no certificate', sdp().replace(/a=fingerprint.*\r\n/, ''), 'unusable-offer'],
    ['who only receives', sdp({ direction: 'recvonly' }), 'unusable-offer'],
    ['who does neither', sdp({ direction: 'inactive' }), 'unusable-offer'],
  ])('to send is refused with %s', (_what, text, code) => {
    expect(codeOf(() => new SdpOffer(text, 'sends'))).toBe(code);
  });

  it('to listen must receive', () => {
    expect(codeOf(() => new SdpOffer(sdp({ direction: 'sendonly' }), 'receives'))).toBe('unusable-offer');
    for (const direction of ['recvonly', 'sendrecv', undefined])
      expect(() => new SdpOffer(sdp({ direction }), 'receives')).not.toThrow();
  });

  it('needs an answer with audio', () => {
    const offer = new SdpOffer(sdp(), 'sends');
    expect(() => offer.answer(ANSWER.replace('m=audio 9', 'm=audio 0'), {})).toThrow('no audio');
    expect(() => offer.answer('nothing', {})).toThrow();
  });
});

describe('an attribute of an SDP', () => {
  it('is what stands behind its name', () => {
    expect(sdpAttribute(ANSWER, 'ice-ufrag')).toBe('abcd');
    expect(sdpAttribute(ANSWER.replaceAll('\r\n', '\n'), 'ice-pwd')).toBe('secretsecretsecretsecret');
    expect(sdpAttribute(ANSWER, 'ice')).toBeUndefined();
  });
});
