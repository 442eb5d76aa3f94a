import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { FanOut } from '../../../src/media-server/embedded/fan-out';
import { FlvListener } from '../../../src/media-server/embedded/flv-listener';
import { AUDIO_TAG, FLV_HEADER, flvTag, FlvParser, type FlvTag } from '../../../src/media-server/flv';

/** More than are served before the loop may look after others, several times over. */
const MANY = 700;
const FRAME_MS = 21;

/** A player's connection: it reads while `reads`, and keeps what it read. */
class Player extends Writable {
  reads = true;
  /** In bytes, of each write. */
  readonly writes: number[] = [];
  readonly #tags: FlvTag[] = [];
  readonly #parser = new FlvParser({
    onTag: (tag) => this.#tags.push({ ...tag, body: Buffer.from(tag.body) }),
  });
  #held: (() => void) | undefined;
  readonly listener: FlvListener;
  readonly cuts: string[] = [];

  constructor(originMs: number) {
    super({ highWaterMark: 1 });
    const response = Object.assign(this, { socket: this }) as unknown as ServerResponse;
    const onCut = (reason: string): void => void this.cuts.push(reason);
    this.listener = new FlvListener({ response, framing: 'plain', originMs, onCut });
    this.listener.open(FLV_HEADER);
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const take = (): void => {
      this.#parser.push(Buffer.from(bytes));
      this.writes.push(bytes.length);
      done();
    };
    if (this.reads) take();
    else this.#held = take;
  }

  /** What waited goes through. */
  readOn(): void {
    this.reads = true;
    this.#held?.();
    this.#held = undefined;
  }

  get times(): number[] {
    return this.#tags.map((tag) => tag.timestampMs);
  }

  /** What the tags say: each frame of a test is its own number. */
  get frames(): number[] {
    return this.#tags.map((tag) => tag.body.readUInt32BE(0));
  }
}

class House {
  readonly fanOut = new FanOut();
  readonly players: Player[] = [];
  frame = 0;

  /** `count` players more, each with the time of now as its 0. */
  join(count: number): Player[] {
    const more = Array.from({ length: count }, () => new Player(this.frame * FRAME_MS));
    for (const { listener } of more) this.fanOut.add(listener);
    this.players.push(...more);
    return more;
  }

  send(frames = 1): void {
    for (let sent = 0; sent < frames; sent += 1) {
      const body = Buffer.alloc(100);
      body.writeUInt32BE(this.frame);
      const timeMs = this.frame * FRAME_MS;
      this.frame += 1;
      this.fanOut.send({ bytes: flvTag(AUDIO_TAG, timeMs, body), timeMs });
    }
  }
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

async function turns(count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) await turn();
}

function range(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, index) => from + index);
}

describe('a fan-out', () => {
  it('sends to some at once', () => {
    const house = new House();
    house.join(100);
    house.send(3);
    for (const player of house.players) expect(player.frames).toEqual([0, 1, 2]);
  });

  it('lets others have a turn while it sends to many', async () => {
    const house = new House();
    house.join(MANY);
    house.send();
    const served = (): number => house.players.filter((player) => player.frames.length > 0).length;
    const seen = [served()];
    while (served() < MANY) {
      await turn();
      seen.push(served());
    }
    const slices = seen.map((now, index) => now - (seen[index - 1] ?? 0));
    expect(seen.length).toBeGreaterThan(4);
    expect(Math.max(...slices)).toBeLessThan(200);
  });

  it('sends each frame by itself while there is time', async () => {
    const house = new House();
    house.join(MANY);
    for (let frame = 0; frame < 5; frame += 1) {
      house.send();
      await turns(20);
    }
    for (const player of house.players) expect(player.writes).toHaveLength(6);
  });

  it('sends several in one write when it does not keep up, and loses none', async () => {
    const house = new House();
    house.join(MANY);
    for (let frame = 0; frame < 50; frame += 1) {
      house.send();
      await turn();
    }
    await turns(40);
    for (const player of house.players) {
      expect(player.frames).toEqual(range(0, 50));
      expect(player.writes.length).toBeLessThan(25);
    }
  });

  it('gives each listener what came after it did, in its own time, also while it is busy', async () => {
    const house = new House();
    house.join(MANY);
    const late: { player: Player; from: number }[] = [];
    for (let frame = 0; frame < 60; frame += 1) {
      house.send();
      const from = house.frame;
      for (const player of house.join(7)) late.push({ player, from });
      if (frame % 3 === 0) await turn();
    }
    await turns(60);
    for (const { player, from } of late) {
      expect(player.frames).toEqual(range(from, 60));
      expect(player.times).toEqual(range(0, 60 - from).map((frame) => frame * FRAME_MS));
    }
  });

  it('forgets those who go, also while it is busy', async () => {
    const house = new House();
    house.join(MANY);
    house.send();
    const gone = house.players.filter((_, index) => index % 2 === 1);
    for (const { listener } of gone) house.fanOut.delete(listener);
    expect(house.fanOut.size).toBe(MANY / 2);
    house.send();
    await turns(20);
    house.players.forEach((player, index) => {
      if (index % 2 === 0) expect(player.frames).toEqual([0, 1]);
      else expect(player.frames).not.toContain(1);
    });
  });

  it('keeps for who does not read what others’ times are not written into', () => {
    const house = new House();
    const players = range(0, 6).map(() => {
      const [player] = house.join(1);
      house.send();
      return player as Player;
    });
    const slow = [players[1], players[4]] as Player[];
    for (const player of slow) player.reads = false;
    house.send(20);
    for (const player of slow) {
      player.readOn();
      expect(player.frames).toEqual(range(house.players.indexOf(player), 26));
      expect(player.times).toEqual(player.frames.map((_, index) => index * FRAME_MS));
    }
    for (const [index, player] of players.entries()) expect(player.frames).toEqual(range(index, 26));
  });

  it('ends with everybody served, those who came last included', async () => {
    const house = new House();
    house.join(MANY);
    house.send(3);
    house.join(5);
    house.send(2);
    house.fanOut.end();
    await turns(40);
    house.players.forEach((player, index) => {
      expect(player.frames).toEqual(range(index < MANY ? 0 : 3, 5));
      expect(player.writableEnded).toBe(true);
    });
  });

  it('ends at once who comes after the end', () => {
    const house = new House();
    house.fanOut.end();
    const [player] = house.join(1);
    expect(player?.writableEnded).toBe(true);
  });
});
