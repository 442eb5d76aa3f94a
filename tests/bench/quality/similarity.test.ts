import { similarity } from '../../../bench/quality/similarity';
import { seededRandom } from '../../../tests/helpers/music';

const random = seededRandom(4);
const picture = Array.from({ length: 30 }, () => Float64Array.from({ length: 25 }, () => 20 + 40 * random()));
const changed = (by: (level: number, row: number, column: number) => number): Float64Array[] =>
  picture.map((levels, row) => levels.map((level, column) => by(level, row, column)));

describe('the similarity of two spectrograms', () => {
  it('is 1 of the same', () => {
    expect(similarity(picture, picture)).toBeCloseTo(1, 10);
  });

  it('falls with every change, the more the larger it is', () => {
    const slightly = similarity(
      picture,
      changed((level) => level + 2 * random()),
    );
    const more = similarity(
      picture,
      changed((level) => level + 15 * random()),
    );
    expect(slightly).toBeLessThan(1);
    expect(slightly).toBeGreaterThan(0.9);
    expect(more).toBeLessThan(slightly - 0.02);
  });

  it('falls where there are holes', () => {
    expect(
      similarity(
        picture,
        changed((level, row, column) => (row % 5 === 0 && column > 15 ? 0 : level)),
      ),
    ).toBeLessThan(0.9);
  });

  it('says nothing of a picture without contrast', () => {
    const flat = [1, 2, 3].map(() => new Float64Array(4));
    expect(similarity(flat, flat)).toBeNaN();
  });
});
