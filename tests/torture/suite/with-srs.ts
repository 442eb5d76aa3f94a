import type { Fault } from './fault';

/** Whether there is such a fault with SRS as the media server. */
export function isFaultWithSrs({ withSrs }: Fault): boolean {
  return withSrs === undefined || !('isNone' in withSrs);
}

/** A fault as it is to be judged with SRS. */
export function asWithSrs(fault: Fault): Fault {
  const { withSrs, price } = fault;
  const own = withSrs && 'price' in withSrs ? withSrs : undefined;
  return {
    ...fault,
    price: { ...price, reconnects: (price.reconnects ?? 0) + (price.restarts ?? 0), ...own?.price },
    ...(own?.account && { account: own.account }),
    ...(own?.says && { says: own.says }),
  };
}
