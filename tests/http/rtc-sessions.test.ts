import { RtcSessions } from '../../src/http/rtc-sessions';

describe('the WebRTC sessions', () => {
  it('have ids that nobody guesses', () => {
    const sessions = new RtcSessions();
    const ids = Array.from({ length: 100 }, () => sessions.open(() => undefined));
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[\w-]{24}$/);
  });

  it('are ended once, and can be asked to end again', () => {
    const sessions = new RtcSessions();
    let ends = 0;
    const id = sessions.open(() => (ends += 1));
    expect([sessions.end(id), sessions.end(id), sessions.end('unknown')]).toEqual([true, true, false]);
    expect(ends).toBe(1);
  });

  it('that ended by themselves are not ended again', () => {
    const sessions = new RtcSessions();
    const id = sessions.open(() => {
      throw new Error('ended twice');
    });
    sessions.close(id);
    expect(sessions.end(id)).toBe(true);
  });

  it('are forgotten a thousand sessions later', () => {
    const sessions = new RtcSessions();
    const first = sessions.open(() => undefined);
    sessions.close(first);
    for (let more = 0; more < 1_000; more += 1) sessions.close(sessions.open(() => undefined));
    expect(sessions.end(first)).toBe(false);
  });
});
