import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from '../base/errors';
import { BodyReader } from './body-reader';
import type { HttpContext } from './context';
import { parseMediaType } from './media-type';
import { announcedLength, checkCoding, hasBody } from './request-body';

const MAX_CONTROL_BYTES = 64 * 1024;
const CONTROL_DEADLINE_MS = 15_000;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Parses a JSON body. @throws {Problem} `invalid-json` (400), also where it is not UTF-8 */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw new Problem('invalid-json', 'The body is not valid JSON in UTF-8.');
  }
}

/**
 * Reads the JSON body of a control door. An absent or empty one counts as `{}`.
 * @param options.textPlain whether JSON may come as `text/plain`, which is how `navigator.sendBeacon` sends strings
 * @throws {Problem} `invalid-json` (400), `request-timeout` (408), `too-large` (413), `unsupported-format` (415)
 */
export async function readControlBody(
  req: IncomingMessage,
  res: ServerResponse,
  context: HttpContext,
  options: { textPlain?: boolean } = {},
): Promise<unknown> {
  if (!hasBody(req)) return {};
  if ((announcedLength(req) ?? 0) > MAX_CONTROL_BYTES)
    throw new Problem('too-large', `This body must not be longer than ${MAX_CONTROL_BYTES} bytes.`);
  checkType(req, options.textPlain ?? false);
  const reader = new BodyReader(req, res, context, { deadlineMs: CONTROL_DEADLINE_MS });
  try {
    const bytes = await reader.whole(MAX_CONTROL_BYTES);
    return bytes.length === 0 ? {} : parseJson(bytes);
  } finally {
    reader.close();
  }
}

function checkType(req: IncomingMessage, textPlain: boolean): void {
  checkCoding(req.headers);
  const media = parseMediaType(req.headers['content-type'] || 'application/json');
  const isJson = media?.type === 'application/json' || (textPlain && media?.type === 'text/plain');
  const charset = media?.parameters.get('charset')?.toLowerCase() ?? 'utf-8';
  if (isJson && ['utf-8', 'utf8', 'us-ascii'].includes(charset)) return;
  throw new Problem('unsupported-format', 'This body must be application/json in UTF-8.');
}
