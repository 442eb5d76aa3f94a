import type { Account, Fault } from './fault';

const FRAME = 1_024;
/** At each end of a publish; an FFmpeg that is told to end publishes its last three frames at once. */
const CUT_OFF = 3 * FRAME;
const BECAUSE =
  'SRS sends listeners of HTTP-FLV away when a publisher goes, with what came after it last looked for what they have ' +
  'not got yet: three AAC frames at most, which SRS has received, and no account of the relay’s can have';

/** Whether there is such a fault with SRS as the media server. */
export function isFaultWithSrs({ withSrs }: Fault): boolean {
  return withSrs === undefined || !('isNone' in withSrs);
}

/** A fault as it is to be judged with SRS: each restart of an encoder sends listeners away, who come back. */
export function asWithSrs(fault: Fault): Fault {
  const { withSrs, price, hitsAll = false } = fault;
  const own = withSrs && 'price' in withSrs ? withSrs : undefined;
  const { restarts = 0, reconnects = 0, lost } = { ...price, ...own?.price };
  const given = own?.account ?? fault.account;
  const account: Account = {
    within: (given?.within ?? 0) + restarts * CUT_OFF * (hitsAll ? 2 : 1),
    because: given?.because ?? BECAUSE,
  };
  return {
    ...fault,
    price: {
      ...price,
      ...own?.price,
      lost: lost + restarts * CUT_OFF,
      reconnects: reconnects + restarts,
    },
    ...(account.within > 0 && { account }),
    ...(own?.says && { says: own.says }),
  };
}
