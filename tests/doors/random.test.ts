import { createHash, randomInt } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import { RawConnection } from '../helpers/raw-http';
import type { DoorHouse } from './door-house';
import { bytesOf } from './exchange';
import { mutantsOf, seedsOf } from './mutants';
import { AUDIO_ROWS } from './rows/audio';
import { BODY_ROWS, METHOD_ROWS, OWNER_ROWS } from './rows/control';
import { ID_ROWS } from './rows/ids';
import { MEDIA_ROWS } from './rows/media';
import { PROTOCOL_ROWS } from './rows/protocol';
import { HOOK_ROWS } from './rows/hooks';
import { RTMP_ROWS } from './rows/rtmp';
import { CREATOR_ROWS, frameRows } from './rows/websockets';
import { describeDoor } from './suite';
import { get, upgrade } from './wire';

/** Of each door in one run; `DOORS_MUTANTS=20000` for a night. */
const MUTANTS = Number(process.env['DOORS_MUTANTS'] ?? 1_000);
const SEED = Number(process.env['DOORS_SEED'] ?? randomInt(2 ** 31));
const CORPUS = path.join(__dirname, 'corpus');
/** What no answer takes, unless the machine stands still: whoever takes longer is asked again. */
const SLOW_MS = 100;
const TRIES = 4;
const HANGS_MS = 5_000;
/** Time for so many mutants on a slow machine. */
const DOOR_MS = 60_000 + MUTANTS * 100;

interface Door {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  readonly port: (house: DoorHouse) => number;
  /** Said before, as it should be. */
  readonly prologue?: Buffer;
}

const api = ({ daemon }: DoorHouse): number => Number(new URL(daemon.apiUrl).port);
const socket = upgrade('/stream/mutant/audio');

const DOORS: readonly Door[] = [
  { name: 'protocol', seeds: seedsOf(PROTOCOL_ROWS), port: api },
  { name: 'api', seeds: seedsOf([...ID_ROWS, ...BODY_ROWS, ...OWNER_ROWS, ...METHOD_ROWS]), port: api },
  { name: 'audio', seeds: seedsOf(AUDIO_ROWS), port: api },
  { name: 'hooks', seeds: seedsOf(HOOK_ROWS), port: api },
  {
    name: 'websocket',
    seeds: seedsOf([...CREATOR_ROWS, ...frameRows('audio', socket)]),
    port: api,
    prologue: bytesOf(socket, 'mutant'),
  },
  {
    name: 'upgrade',
    seeds: [bytesOf(socket, 'mutant'), bytesOf(get('/stream/mutant/audio'), 'mutant')],
    port: api,
  },
  { name: 'rtmp', seeds: seedsOf(RTMP_ROWS), port: ({ daemon }) => daemon.rtmpPort },
  { name: 'media', seeds: seedsOf(MEDIA_ROWS), port: ({ daemon }) => Number(new URL(daemon.mediaUrl).port) },
];

/** What broke once, and must not break again. */
interface Broken {
  readonly door: string;
  readonly why: string;
  readonly bytes: string;
}

// Mutants may be whole requests, too: what they start is over soon, and has no room to be many.
const ENV = { MAX_STREAMS: '6', HOLD_SECONDS: '2', MAX_BUFFER_SECONDS: '8' };

describeDoor('doors, and what nobody thought of', [], { env: ENV, claimed: true, isFull: true }, (house) => {
  const kept = readdirSync(CORPUS).filter((file) => file.endsWith('.json'));

  it.each(kept)('%s, which broke something once, does so no more', async (file) => {
    const { door, bytes } = JSON.parse(readFileSync(path.join(CORPUS, file), 'utf8')) as Broken;
    const found = DOORS.find(({ name }) => name === door) as Door;
    expect(await faultOf(found, Buffer.from(bytes, 'base64'))).toBeUndefined();
  });

  it.each(DOORS)(
    `$name: ${MUTANTS} changed requests do no harm (DOORS_SEED=${SEED})`,
    async (door) => {
      const property = fc.asyncProperty(mutantsOf(door.seeds), async (mutant) => {
        const fault = await faultOf(door, mutant);
        if (fault !== undefined) throw new Error(fault);
      });
      const run = await fc.check(property, {
        numRuns: MUTANTS,
        seed: SEED,
        interruptAfterTimeLimit: DOOR_MS / 2,
      });
      if (!run.failed || !run.counterexample) return;
      const [mutant] = run.counterexample;
      const why = run.errorInstance instanceof Error ? run.errorInstance.message : 'it broke';
      throw new Error(
        `${why}; kept as ${keep(door.name, why, mutant)} (seed ${SEED}, path ${run.counterexamplePath})`,
      );
    },
    DOOR_MS,
  );

  /** @returns what is wrong with how a door took it; nothing where all is well */
  async function faultOf(door: Door, bytes: Buffer): Promise<string | undefined> {
    const errors = errorsOf(house());
    let fault = '';
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { said, ms } = await send(door, bytes);
      if (ms === undefined) fault = `no answer and no end within ${HANGS_MS} ms`;
      else if (/^HTTP\/1\.1 50[024] /m.test(said)) fault = `failed: ${said.slice(0, 300)}`;
      else if (/^Connection: close\r$[^]*HTTP\/1\.1 \d{3} /m.test(said))
        fault = `said more after its last answer: ${said.slice(0, 600)}`;
      else if (/node_modules|\.js:\d+:\d+/.test(said)) fault = `told of itself: ${said.slice(0, 300)}`;
      else if (errorsOf(house()) > errors) fault = 'an error was logged';
      else if (!house().daemon.isRunning) fault = 'the daemon died';
      else if (ms > SLOW_MS) fault = `it took ${Math.round(ms)} ms, ${tries + 1} times`;
      else return undefined;
      if (!fault.startsWith('it took')) return fault;
    }
    return fault;
  }

  async function send(
    { port, prologue }: Door,
    bytes: Buffer,
  ): Promise<{ said: string; ms: number | undefined }> {
    const connection = await RawConnection.open(port(house()));
    try {
      if (prologue) {
        connection.send(prologue);
        await connection.until(/\r\n\r\n/);
      }
      const begunMs = performance.now();
      connection.send(bytes);
      connection.end();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), HANGS_MS);
      });
      const said = await Promise.race([connection.closed, late]);
      clearTimeout(timer);
      return { said: said ?? '', ms: said === undefined ? undefined : performance.now() - begunMs };
    } finally {
      connection.destroy();
    }
  }
});

function errorsOf({ daemon }: DoorHouse): number {
  return daemon.output.match(/"level":"(error|fatal)"/g)?.length ?? 0;
}

function keep(door: string, why: string, bytes: Buffer): string {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  const [gist = ''] = why.split('\n');
  const broken: Broken = { door, why: gist.slice(0, 120), bytes: bytes.toString('base64') };
  const file = `${door}-${hash}.json`;
  writeFileSync(path.join(CORPUS, file), `${JSON.stringify(broken, undefined, 2)}\n`);
  return file;
}
