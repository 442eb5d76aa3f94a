import { compareVersions, parseSrsVersion } from '../../src/media-server/srs/lines';
import { srsVersion } from './srs';

/**
 * Where releases of SRS differ in what the relay relies on. The tests state both sides: a release that was tried has
 * its row here, and one that was not is expected to have none of the faults, so a failure says which it still has.
 */
export interface SrsTraits {
  /**
   * What becomes of a publish while SRS still sends away the listeners of the publish before: `lost` is a refusal after
   * which the name answers "busy" until SRS is started anew.
   */
  readonly publishAtTearDown: 'accepted' | 'refused' | 'lost';
  /** How HLS names the files of a stream whose listeners were there before its publisher. */
  readonly hlsNameAfterEarlyListener: 'name' | 'name.flv';
  /** What becomes of the files of HLS, `hls_dispose` seconds after the publisher went. */
  readonly hlsAfterStop: 'removed' | 'left';
}

const FREE_OF_FAULTS: SrsTraits = {
  publishAtTearDown: 'accepted',
  hlsNameAfterEarlyListener: 'name',
  hlsAfterStop: 'removed',
};
const FAULTS_OF_6: SrsTraits = {
  publishAtTearDown: 'lost',
  hlsNameAfterEarlyListener: 'name.flv',
  hlsAfterStop: 'left',
};

/** From which release on a row holds, oldest first; tried with 5.0.216, 6.0.157 and 7.0.18. */
const ROWS: readonly { readonly from: string; readonly traits: SrsTraits }[] = [
  { from: '5.0.0', traits: FREE_OF_FAULTS },
  { from: '6.0.130', traits: FAULTS_OF_6 },
  { from: '7.0.0', traits: FAULTS_OF_6 },
  // Upstream has fixes of all three on the way to 7.0.162; not tried.
  { from: '7.0.19', traits: FREE_OF_FAULTS },
];

/** What is expected of the SRS under test. */
export function srsTraits(): SrsTraits {
  const version = parseSrsVersion(srsVersion());
  if (!version) throw new Error('SRS gave no version');
  const rows = ROWS.filter(({ from }) => {
    const since = parseSrsVersion(from);
    return since && compareVersions(since, version) <= 0;
  });
  return rows.at(-1)?.traits ?? FREE_OF_FAULTS;
}
