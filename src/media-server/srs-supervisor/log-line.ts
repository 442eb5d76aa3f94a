import { redact } from '../../base/logger';

/** A line of SRS's log, fit for ours. */
export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly text: string;
}

/** SRS writes at most 4 KiB a line; what matters is at its beginning. */
const MAX_CHARS = 1_000;

/**
 * Said at each start, by each client that goes or asks for what is not there, and none of an operator's business. Each look
 * at the API is such a client, too.
 */
const CHATTER = [
  /^stats (network use index|disk not configed)/,
  /^SRS\/[\d.]+ is not stable$/,
  /^(client disconnect peer|server disconnect)\. ret=\d+$/,
  /^http miss file=/,
  /^main cycle terminated, system quit normally\.$/,
  /^ignore remove mpd failed/,
];

// eslint-disable-next-line no-control-regex -- SRS colours its lines with escape sequences
const COLOURS = /\u001b\[[\d;]*m/g;
const CONTROL = /\p{Cc}+/gu;
/** `[2026-11-21 15:31:06.629][WARN][22107][85639433][22] text`; the last number is there from warnings on. */
const LINE = /^\[[\d :.-]+\]\[(\w+)\](?:\[[^\]]*\]){2}(?:\[\d+\])? ?(.*)$/;

/** Turns the lines of one SRS into ours. */
export class LogReader {
  readonly #secrets: readonly string[];
  #level: LogLine['level'] = 'info';

  /** @param secrets replaced wherever they stand, as are tokens and keys in URLs */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.filter((secret) => secret !== '');
  }

  /** @returns `undefined` for a line that says nothing */
  read(raw: string): LogLine | undefined {
    const line = raw.replace(COLOURS, '').trimEnd();
    const [, level, said] = LINE.exec(line) ?? [];
    const text = this.#hide((said ?? line).replace(CONTROL, ' ').trim());
    if (level === undefined) {
      // The rest of an error: where it happened, line by line.
      return text === '' ? undefined : { level: this.#level, text };
    }
    this.#level = CHATTER.some((chatter) => chatter.test(text)) ? 'debug' : levelOf(level);
    return text === '' ? undefined : { level: this.#level, text };
  }

  #hide(text: string): string {
    const hidden = this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), redact(text));
    return hidden.length > MAX_CHARS ? `${hidden.slice(0, MAX_CHARS)}…` : hidden;
  }
}

function levelOf(name: string): LogLine['level'] {
  const level = name.toLowerCase();
  if (level === 'error' || level === 'warn') return level;
  // The other levels are there before the configuration is read, and say what the supervisor says.
  return 'debug';
}
