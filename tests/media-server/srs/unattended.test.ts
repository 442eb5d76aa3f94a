import { losesUnattended } from '../../../src/media-server/srs/unattended';

describe('a stream that nobody plays yet', () => {
  it.each(['6.0.130', '6.0.157', '6.0.191', '7.0.0', '7.0.18', '7.0.126', 'unknown', '7.0'])(
    'may be lost by SRS %s',
    (version) => expect(losesUnattended(version)).toBe(true),
  );

  it.each(['5.0.216', '6.0.129', '7.0.127', '7.0.162', '8.0.34'])('is safe with SRS %s', (version) =>
    expect(losesUnattended(version)).toBe(false),
  );
});
