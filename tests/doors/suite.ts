import { describeWith } from '../helpers/system-program';
import { NGINX_NEEDS } from '../helpers/nginx-house';
import { DoorHouse, type DoorOptions } from './door-house';
import { type Row, told } from './row';

/** What is opened and closed with the slowest machine in mind. */
const OPEN_MS = 90_000;
/** A vibe that a mutant has started and nobody feeds lasts for a minute. */
const UNHARMED_MS = 150_000;

/**
 * A table as a suite: each row is a test of its own, against one daemon; the last test says that nobody else noticed.
 * @param more tests besides, for what is no row; they get the house
 */
export function describeDoor(
  name: string,
  rows: readonly Row[],
  options: DoorOptions = {},
  more?: (house: () => DoorHouse) => void,
): void {
  const open = options.throughNginx ? describeWith(NGINX_NEEDS) : describe;
  open(name, () => {
    let house: DoorHouse;
    beforeAll(async () => {
      house = await DoorHouse.open(options);
      house.beginSlow(rows);
    }, OPEN_MS);
    afterAll(async () => house?.close(), OPEN_MS);

    for (const row of rows)
      it(titleOf(row, options), async () => {
        await house.try(row);
      });
    more?.(() => house);
    it(
      'and nobody else has noticed: a control vibe lost no byte, and nothing is left behind',
      () => house.expectUnharmed(),
      UNHARMED_MS,
    );
  });
}

function titleOf(row: Row, { throughNginx }: DoorOptions): string {
  return `${row.name}: ${told((throughNginx && row.throughNginx) || row.expect)}`;
}
