import {
  compareVersions,
  DIRECTIVES,
  isWithin,
  parseSrsVersion,
  sameDialect,
  takes,
  TRIED,
  versionFor,
  versionText,
} from '../../../src/media-server/srs/lines';

describe('a release of SRS', () => {
  it.each([
    ['7.0.18', { major: 7, minor: 0, revision: 18 }],
    ['v6.0.191\n', { major: 6, minor: 0, revision: 191 }],
    ['7', undefined],
    ['7.0', undefined],
    ['SRS/7.0.18(Hang)', undefined],
    ['', undefined],
  ])('is read from %j', (text, version) => {
    expect(parseSrsVersion(text)).toEqual(version);
  });

  it('comes before a later one', () => {
    const sorted = ['5.0.216', '6.0.9', '6.0.157', '7.0.18', '7.0.162', '8.0.1'];
    const versions = sorted.map((text) => versionFor(text)).sort(compareVersions);
    expect(versions.map(versionText)).toEqual(sorted);
  });

  it('is asked for by its line, which stands for the one that was tried', () => {
    for (const [line, release] of TRIED) expect(versionText(versionFor(line))).toBe(release);
  });

  it.each([
    ['4.0.271', 'must be 5 or newer'],
    ['9.0.1', 'must be at most 8: later lines are not known yet'],
    ['8', 'must be 5, 6, 7 or a release such as 7.0.18'],
    ['newest', 'must be 5, 6, 7 or a release such as 7.0.18'],
    ['constructor', 'must be 5, 6, 7 or a release such as 7.0.18'],
  ])('is refused as %j', (text, message) => {
    expect(() => versionFor(text)).toThrow(message);
  });
});

describe('a span of releases', () => {
  const within = (text: string, since?: string, until?: string): boolean =>
    isWithin(versionFor(text), { ...(since && { since }), ...(until && { until }) });

  it('holds its first release, and not the one that ends it', () => {
    expect(within('7.0.64', '7.0.64')).toBe(true);
    expect(within('7.0.63', '7.0.64')).toBe(false);
    expect(within('7.0.63', undefined, '7.0.64')).toBe(true);
    expect(within('7.0.64', undefined, '7.0.64')).toBe(false);
    expect(within('6.0.192', '6.0.130', '7.0.151')).toBe(true);
  });
});

describe('the table of directives', () => {
  it.each([
    ['7.0.63', 'listen', 'rtmp.listen'],
    ['6.0.192', 'listen', 'rtmp.listen'],
    ['7.0.64', 'rtmp.listen', 'listen'],
    ['8.0.34', 'rtmp.listen', 'listen'],
  ])('says that %s takes %s and not %s', (release, taken, refused) => {
    expect(takes(versionFor(release), taken)).toBe(true);
    expect(takes(versionFor(release), refused)).toBe(false);
  });

  it('has the block of each directive', () => {
    const orphans = Object.keys(DIRECTIVES).filter((path) => {
      const parent = path.split('.').slice(0, -1).join('.');
      return parent !== '' && !DIRECTIVES[parent];
    });
    expect(orphans).toEqual([]);
  });

  it('refuses what nobody looked up', () => {
    expect(() => takes(versionFor('7'), 'vhost.play.speed')).toThrow('vhost.play.speed is not in the table');
  });

  it.each([
    ['5', '5.x'],
    ['6', '6.x'],
    ['7.0.18', '7.0.0 to 7.0.52'],
    ['7.0.52', '7.0.0 to 7.0.52'],
    ['7.0.53', '7.0.53 to 7.0.63'],
    ['7.0.162', '7.0.64 and newer'],
    ['8.0.34', '8.x'],
  ])('knows whose configuration fits %s: %s', (release, others) => {
    expect(sameDialect(versionFor(release))).toBe(others);
  });
});
