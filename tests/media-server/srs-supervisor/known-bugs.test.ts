import { versionFor } from '../../../src/media-server/srs/lines';
import { KNOWN_BUGS, knownBugs } from '../../../src/media-server/srs-supervisor/known-bugs';

const idsOf = (release: string): string[] => knownBugs(versionFor(release)).map(({ id }) => id);

describe('the known faults of SRS', () => {
  it.each([
    ['5.0.216', ['webrtc-crashes']],
    ['6.0.129', ['busy-for-ever', 'slow-unmount', 'stale-hls', 'webrtc-crashes']],
    ['6.0.157', ['publish-without-data', 'busy-for-ever', 'slow-unmount', 'stale-hls', 'webrtc-crashes']],
    ['6.0.192', ['publish-without-data', 'busy-for-ever', 'slow-unmount']],
    ['7.0.18', ['publish-without-data', 'busy-for-ever', 'slow-unmount', 'stale-hls', 'webrtc-crashes']],
    ['7.0.150', ['publish-without-data', 'busy-for-ever', 'slow-unmount']],
    ['7.0.162', ['busy-for-ever', 'slow-unmount']],
    ['8.0.4', ['publish-without-data', 'busy-for-ever', 'slow-unmount']],
    ['8.0.34', ['slow-unmount']],
  ])('of %s are %j', (release, ids) => {
    expect(idsOf(release)).toEqual(ids);
  });

  it('each have a name of their own, and something to do about them', () => {
    expect(new Set(KNOWN_BUGS.map(({ id }) => id)).size).toBe(KNOWN_BUGS.length);
    for (const { what, remedy } of KNOWN_BUGS) {
      expect(what.length).toBeGreaterThan(20);
      expect(remedy.length).toBeGreaterThan(20);
    }
  });
});
