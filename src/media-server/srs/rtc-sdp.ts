import { Problem } from '../../base/errors';

/** What a peer does with the audio of its own offer. */
export type OfferDirection = 'sends' | 'receives';

/** Parameters of Opus in an SDP (RFC 7587): `stereo=1;maxaveragebitrate=192000`. */
export type OpusParameters = Readonly<Record<string, string | number>>;

/** One `m=` line and what belongs to it. */
interface Section {
  readonly lines: readonly string[];
  readonly kind: string;
  readonly port: string;
  readonly mid: string | undefined;
}

const DIRECTIONS: Readonly<Record<OfferDirection, readonly string[]>> = {
  sends: ['sendonly', 'sendrecv'],
  receives: ['recvonly', 'sendrecv'],
};

/**
 * A browser's SDP offer, of which only the first audio goes on to the media server. SRS ends the connection without an
 * answer when it sees a data channel or video that it cannot take, so whatever else is offered is declined here.
 */
export class SdpOffer {
  readonly #sections: readonly Section[];
  readonly #audioAt: number;
  readonly #session: readonly string[];

  /**
   * @throws {Problem} `invalid-sdp` (400) where it is no SDP; `unusable-offer` (422) where there is no Opus audio in the
   *   direction that the door is for, or the transport is none that SRS has
   */
  constructor(text: string, direction: OfferDirection) {
    const { session, sections } = parse(text);
    if (sections.length === 0) throw new Problem('unusable-offer', 'The offer has no media.');
    const audioAt = sections.findIndex(({ kind, port }) => kind === 'audio' && port !== '0');
    const audio = sections[audioAt];
    if (!audio) throw new Problem('unusable-offer', 'The offer has no audio: an m=audio line is needed.');
    if (!opusPayload(audio.lines))
      throw new Problem('unusable-offer', 'The offer’s audio must be in Opus (opus/48000/2).');
    if (!audio.lines.includes('a=rtcp-mux'))
      throw new Problem('unusable-offer', 'The offer’s audio must have a=rtcp-mux.');
    for (const needed of ['ice-ufrag', 'ice-pwd', 'fingerprint'])
      if (![...session, ...audio.lines].some((line) => line.startsWith(`a=${needed}:`)))
        throw new Problem('unusable-offer', `The offer has no a=${needed}.`);
    const said = directionOf(audio.lines) ?? directionOf(session) ?? 'sendrecv';
    if (!DIRECTIONS[direction].includes(said))
      throw new Problem('unusable-offer', `The offer’s audio is ${said}; this door is for who ${direction}.`);
    this.#session = session;
    this.#sections = sections;
    this.#audioAt = audioAt;
  }

  /** The offer with its audio alone, in a bundle of one: what SRS is given. */
  forMediaServer(): string {
    const { lines, mid } = this.#audio;
    return write([
      ...this.#session.filter((line) => !line.startsWith('a=group:')),
      `a=group:BUNDLE ${mid ?? '0'}`,
      ...lines,
      ...(mid === undefined ? ['a=mid:0'] : []),
    ]);
  }

  /**
   * The answer for the browser: the media server's audio in the place where it was offered, all else declined.
   * @param opus put into the parameters of Opus, over what the media server says there
   * @throws {Error} where the media server's answer has no audio
   */
  answer(fromMediaServer: string, opus: OpusParameters): string {
    const { session, sections } = parse(fromMediaServer);
    const audio = sections.find(({ kind, port }) => kind === 'audio' && port !== '0');
    if (!audio) throw new Error('the media server’s answer has no audio');
    const lines = withOpusParameters(audio.lines, opus).filter(
      (line) => this.#audio.mid !== undefined || !line.startsWith('a=mid:'),
    );
    return write([
      ...session.filter((line) => this.#audio.mid !== undefined || !line.startsWith('a=group:')),
      ...this.#sections.flatMap((section, at) => (at === this.#audioAt ? lines : declined(section))),
    ]);
  }

  get #audio(): Section {
    return this.#sections[this.#audioAt] as Section;
  }
}

/**
 * The value of an attribute, e.g. `ice-ufrag`, wherever it stands first.
 * @returns nothing where it does not stand there
 */
export function sdpAttribute(sdp: string, name: string): string | undefined {
  const start = `a=${name}:`;
  return sdp
    .split(/\r?\n/)
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
}

function parse(text: string): { session: readonly string[]; sections: readonly Section[] } {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  // No control characters: each line goes on to another program.
  if (lines[0] !== 'v=0' || !lines.every((line) => /^[a-z]=[^\p{Cc}]*$/u.test(line)))
    throw new Problem('invalid-sdp', 'The body is not SDP.');
  const starts = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  const sections = starts.map((start, index) => {
    const own = lines.slice(start, starts[index + 1]);
    const media = /^m=(\w+) (\d+)(?:\/\d+)? (\S+) (\S.*)$/.exec(own[0] as string);
    if (!media) throw new Problem('invalid-sdp', 'An m= line of the SDP cannot be understood.');
    const mid = own.find((line) => line.startsWith('a=mid:'))?.slice('a=mid:'.length);
    return { lines: own, kind: media[1] as string, port: media[2] as string, mid };
  });
  return { session: lines.slice(0, starts[0]), sections };
}

function directionOf(lines: readonly string[]): string | undefined {
  return lines.map((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.exec(line)?.[1]).find(Boolean);
}

/** The payload type of the first Opus that is named. */
function opusPayload(lines: readonly string[]): string | undefined {
  return lines.map((line) => /^a=rtpmap:(\d+) opus\/48000\/2$/i.exec(line)?.[1]).find(Boolean);
}

function withOpusParameters(lines: readonly string[], opus: OpusParameters): string[] {
  const payload = opusPayload(lines);
  if (payload === undefined) return [...lines];
  const start = `a=fmtp:${payload} `;
  const said = lines.find((line) => line.startsWith(start))?.slice(start.length) ?? '';
  const parameters = new Map(
    said
      .split(';')
      .map((one) => one.trim().split('=', 2) as [string, string?])
      .filter(([name, value]) => name !== '' && value !== undefined) as [string, string][],
  );
  for (const [name, value] of Object.entries(opus)) parameters.set(name, String(value));
  const fmtp = `${start}${[...parameters].map(([name, value]) => `${name}=${value}`).join(';')}`;
  return lines
    .filter((line) => !line.startsWith(start))
    .flatMap((line) => (line.startsWith(`a=rtpmap:${payload} `) ? [line, fmtp] : [line]));
}

/** RFC 3264: a stream is declined with port 0. */
function declined({ lines, mid }: Section): string[] {
  const media = (lines[0] as string).replace(/^(m=\w+) \S+/, '$1 0');
  return [media, 'c=IN IP4 0.0.0.0', ...(mid === undefined ? [] : [`a=mid:${mid}`]), 'a=inactive'];
}

function write(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n`;
}
