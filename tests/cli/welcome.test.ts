import { welcome } from '../../src/cli/welcome';

const config = {
  host: '127.0.0.1',
  port: 3101,
  publicUrl: 'http://localhost:3101',
  playbackUrl: 'http://localhost:8180',
};

describe('the welcome', () => {
  it('says how to send, where to listen, where the dashboard is and how to stop', () => {
    const text = welcome(config);
    expect(text).toContain(
      "curl -X POST -T - -H 'Content-Type: audio/wav' 'http://localhost:3101/stream/hello/audio?creator=me'",
    );
    expect(text).toContain('http://localhost:3101/listen/hello\n');
    expect(text).toContain('http://localhost:8180/live/hello.flv\n');
    expect(text).toContain('http://localhost:8180/live/hello.m3u8\n');
    expect(text).toContain('Dashboard: http://localhost:3101/\n');
    expect(text).toContain('Ctrl-C');
  });

  it('puts listening first where something plays already', () => {
    const text = welcome(config, { vibeId: 'demo', playing: true });
    expect(text).toContain('http://localhost:3101/listen/demo');
    expect(text).not.toContain('curl');
  });
});
