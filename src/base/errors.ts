/**
 * Every refusal that a client can get, in one table. The HTTP doors turn an entry into `application/problem+json`
 * with `status`, the WebSocket doors close with `closeCode`.
 */
export const PROBLEMS = {
  'bad-request': { status: 400, closeCode: 4400, title: 'The request cannot be understood' },
  'invalid-vibe-id': { status: 400, closeCode: 4400, title: 'Not a valid vibe id' },
  'invalid-json': { status: 400, closeCode: 4400, title: 'The body is not valid JSON' },
  'invalid-audio-data': { status: 400, closeCode: 4400, title: 'The audio data cannot be decoded' },
  'invalid-field': { status: 400, closeCode: 4400, title: 'A field has a value that is not allowed' },
  'invalid-sdp': { status: 400, closeCode: 4400, title: 'The body is not valid SDP' },
  'invalid-sequence': { status: 400, closeCode: 4400, title: 'Not a valid sequence number' },
  unauthorized: { status: 401, closeCode: 4401, title: 'A credential is needed' },
  'invalid-token': { status: 401, closeCode: 4401, title: 'The token is not valid' },
  'wrong-creator': { status: 403, closeCode: 4403, title: 'This vibe belongs to another creator' },
  'wrong-owner-key': { status: 403, closeCode: 4403, title: 'The owner key does not fit this vibe' },
  forbidden: { status: 403, closeCode: 4403, title: 'Not allowed' },
  'not-found': { status: 404, closeCode: 4404, title: 'No such thing here' },
  'vibe-not-found': { status: 404, closeCode: 4404, title: 'No such vibe' },
  'method-not-allowed': { status: 405, closeCode: 4400, title: 'This method is not allowed here' },
  'request-timeout': { status: 408, closeCode: 4408, title: 'The request took too long to arrive' },
  idle: { status: 408, closeCode: 4408, title: 'Nothing was sent for too long' },
  'creator-conflict': { status: 409, closeCode: 4403, title: 'Another creator holds this vibe' },
  'format-changed': { status: 409, closeCode: 4415, title: 'The audio format changed in mid-vibe' },
  'sequence-conflict': { status: 409, closeCode: 4400, title: 'This number was taken by other audio' },
  'visibility-changed': { status: 409, closeCode: 4400, title: 'A vibe stays public or private' },
  superseded: { status: 409, closeCode: 4409, title: 'A newer connection of the same creator took over' },
  'vibe-ending': { status: 409, closeCode: 4404, title: 'This vibe is ending' },
  'media-server-busy': {
    status: 409,
    closeCode: 1013,
    title: 'The media server has this stream in use',
    retryable: true,
  },
  'too-late': { status: 410, closeCode: 4400, title: 'The turn of this number is over' },
  'too-large': { status: 413, closeCode: 1009, title: 'Too large' },
  'unsupported-format': { status: 415, closeCode: 4415, title: 'This audio format is not supported' },
  'expectation-failed': { status: 417, closeCode: 4400, title: 'What is expected cannot be met' },
  'torn-sample': { status: 422, closeCode: 4400, title: 'The audio ends within a sample' },
  'empty-audio': { status: 422, closeCode: 4400, title: 'There is no audio in this request' },
  'unusable-offer': { status: 422, closeCode: 4400, title: 'The offer has nothing that is understood here' },
  'upgrade-required': { status: 426, closeCode: 4400, title: 'This door takes WebSockets only' },
  'buffer-full': { status: 429, closeCode: 4429, title: 'The buffer of this vibe is full', retryable: true },
  'too-many-requests': {
    status: 429,
    closeCode: 4429,
    title: 'Too many requests or connections from this address',
    retryable: true,
  },
  'headers-too-large': { status: 431, closeCode: 4400, title: 'The request headers are too large' },
  'internal-error': { status: 500, closeCode: 1011, title: 'Something went wrong in here' },
  'private-unavailable': { status: 501, closeCode: 1011, title: 'There are no private vibes here' },
  'webrtc-unavailable': { status: 501, closeCode: 1011, title: 'There is no WebRTC here' },
  'media-server-refused': { status: 502, closeCode: 1011, title: 'The media server refused' },
  'too-many-vibes': { status: 503, closeCode: 1013, title: 'No room for another vibe', retryable: true },
  'keys-unavailable': {
    status: 503,
    closeCode: 1013,
    title: 'Tokens cannot be checked now',
    retryable: true,
  },
  'too-many-connections': {
    status: 503,
    closeCode: 1013,
    title: 'No room for another connection',
    retryable: true,
  },
  overloaded: {
    status: 503,
    closeCode: 1013,
    title: 'The machine has no room for another vibe',
    retryable: true,
  },
  'not-ready': { status: 503, closeCode: 1013, title: 'The relay is not ready', retryable: true },
  draining: { status: 503, closeCode: 1012, title: 'The relay is restarting', retryable: true },
  'vibe-failed': { status: 503, closeCode: 1011, title: 'This vibe cannot be encoded', retryable: true },
} as const satisfies Record<
  string,
  { status: number; closeCode: number; title: string; retryable?: boolean }
>;

export type ProblemCode = keyof typeof PROBLEMS;

/** A typed refusal: what a client did that cannot be done, or what the relay cannot do now. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly closeCode: number;
  readonly title: string;
  readonly retryable: boolean;
  /** More members of the problem document, e.g. `bufferedMs`, `retryAfterSeconds`. */
  readonly extra: Readonly<Record<string, unknown>>;

  /** @param detail one sentence about this very case, fit for the client's eyes */
  constructor(code: ProblemCode, detail: string, extra: Record<string, unknown> = {}) {
    super(detail);
    const entry: { status: number; closeCode: number; title: string; retryable?: boolean } = PROBLEMS[code];
    this.name = 'Problem';
    this.code = code;
    this.status = entry.status;
    this.closeCode = entry.closeCode;
    this.title = entry.title;
    this.retryable = entry.retryable ?? false;
    this.extra = extra;
  }
}

/**
 * A reason not to start, or to stop, that an operator can mend: shown as one line, without a stack.
 * `exitCode` follows sysexits: 78 configuration, 69 something needed is unavailable, 73 a file cannot be made.
 */
export class OperatorError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'OperatorError';
    this.exitCode = exitCode;
  }
}

export const EXIT_CONFIG = 78;
export const EXIT_UNAVAILABLE = 69;
export const EXIT_CANT_CREATE = 73;

/**
 * What somebody is told who sent no whole HTTP request.
 * @param error of Node’s `clientError` event
 * @param maxHeaderBytes that its server takes
 */
export function brokenHttp({ code }: NodeJS.ErrnoException, maxHeaderBytes: number): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem('headers-too-large', `The headers must not be longer than ${maxHeaderBytes} bytes.`);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('request-timeout', 'The request took too long to arrive.');
  return new Problem('bad-request', 'This is not HTTP as it should be.');
}
