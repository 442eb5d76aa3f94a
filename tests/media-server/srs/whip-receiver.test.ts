import { WhipReceiver } from '../../../src/media-server/srs/whip-receiver';
import { FakeClock } from '../../helpers/fake-clock';
import { eventually } from '../../helpers/eventually';
import { FakeSrsRtc } from '../../helpers/fake-srs-rtc';
import { rtp } from '../../helpers/rtp';
import { sdp } from '../../helpers/sdp';

describe('who fetches a browser’s stream', () => {
  let srs: FakeSrsRtc;
  let clock: FakeClock;
  let heard: number[];
  let offered: { token: string; sdp: string }[];
  let answer: string;
  let receiver: WhipReceiver;

  beforeEach(async () => {
    srs = await FakeSrsRtc.open();
    clock = new FakeClock();
    heard = [];
    offered = [];
    answer = sdp({ direction: 'sendonly' });
    receiver = new WhipReceiver({
      api: {
        receivePlain: async (offer) => {
          offered.push(offer);
          return answer;
        },
      },
      address: { host: '127.0.0.1', port: srs.rtcPort },
      ...{ vhost: 'whip', stream: 's', clock },
      onPacket: ({ packet }) => heard.push(packet.sequence),
    });
  });
  afterEach(async () => {
    receiver.close();
    await srs.close();
    expect(clock.pendingTimers).toBe(0);
  });

  const open = async (): Promise<void> => {
    await receiver.open('a-ticket');
    await eventually('it knocks', () => srs.peers.length > 0);
  };

  it('shows its ticket, offers to receive Opus, and hears packets in order', async () => {
    await open();
    expect(offered).toEqual([expect.objectContaining({ vhost: 'whip', stream: 's', token: 'a-ticket' })]);
    expect(offered[0]?.sdp).toContain('a=recvonly');
    for (const sequence of [1, 3, 2, 4]) srs.send(rtp({ sequence, payload: Buffer.from([0xfc, 1]) }));
    await eventually('all are heard', () => heard.length === 4);
    expect(heard).toEqual([1, 2, 3, 4]);
  });

  it('knocks again and again, and less often once it is heard', async () => {
    await open();
    // The first answer is on its way or here; the next knock comes either way.
    clock.advance(200);
    await eventually('it knocks twice', () => srs.peers.length === 2);
    await eventually('SRS is heard', () => {
      const before = srs.peers.length;
      clock.advance(200);
      return srs.peers.length === before;
    });
  });

  it('takes nothing more when it is closed', async () => {
    await open();
    srs.send(rtp({ sequence: 1, payload: Buffer.from([0xfc]) }));
    await eventually('it is heard', () => heard.length === 1);
    receiver.close();
    receiver.close();
    srs.send(rtp({ sequence: 2, payload: Buffer.from([0xfc]) }));
    expect(clock.pendingTimers).toBe(0);
    expect(heard).toEqual([1]);
  });

  it('that is closed while it asks opens nothing', async () => {
    const opening = receiver.open('a-ticket');
    receiver.close();
    await opening;
    expect(clock.pendingTimers).toBe(0);
    expect(srs.peers).toEqual([]);
  });

  it('says so where SRS’s answer names no way in', async () => {
    answer = 'v=0\r\n';
    await expect(receiver.open('a-ticket')).rejects.toMatchObject({ code: 'media-server-refused' });
  });
});
