import { z } from 'zod';
import { Problem } from '../base/errors';

const MAX_NAME_LENGTH = 256;
const MAX_ID_LENGTH = 256;
const MAX_KEY_LENGTH = 512;

/** Control characters, line and paragraph separators: they forge lines in logs and terminals. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

const text = (maxLength: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(maxLength, `must not be longer than ${maxLength} characters`)
    .refine((value) => !CONTROL.test(value), 'must not have control characters');

/** Existing apps send `null` and the empty string for what they do not know. */
const optional = (maxLength: number) =>
  z
    .preprocess((value) => (value === null || value === '' ? undefined : value), text(maxLength).optional())
    .optional();

const name = text(MAX_NAME_LENGTH);

/** Unknown members are let be: existing apps send more than this. */
export const startBody = z.object({
  creator: optional(MAX_NAME_LENGTH),
  network: optional(64),
  title: optional(256),
  claim: z.boolean().nullish(),
  visibility: z.enum(['public', 'private']).nullish(),
});

export const endBody = z.object({ creator: optional(MAX_NAME_LENGTH), drain: z.boolean().nullish() });

export const participantBody = z.object({
  participantId: optional(MAX_ID_LENGTH),
  walletAddress: optional(MAX_ID_LENGTH),
});

const audioFormat = {
  format: optional(32),
  endian: optional(16),
  sampleRate: z.union([z.number(), z.string().max(16)]).nullish(),
  channels: z.union([z.number(), z.string().max(16)]).nullish(),
};

const audioChunk = z.object({ data: z.string(), mimeType: z.string().max(256).nullish() });

/** Base64 audio by one of three names, or a message as Lyria sends it. */
export const audioBody = z.object({
  audioData: z.string().nullish(),
  data: z.string().nullish(),
  audio: z.string().nullish(),
  mimeType: z.string().max(256).nullish(),
  creator: optional(MAX_NAME_LENGTH),
  sequence: z.unknown().optional(),
  serverContent: z
    .object({ audioChunks: z.array(audioChunk).max(1024).nullish(), audioChunk: audioChunk.nullish() })
    .nullish(),
  ...audioFormat,
});
export type AudioBody = z.infer<typeof audioBody>;

/** The first text message of a creator's WebSocket. */
export const helloMessage = z.object({
  type: z.literal('hello'),
  creator: optional(MAX_NAME_LENGTH),
  ownerKey: optional(MAX_KEY_LENGTH),
  ...audioFormat,
});

/**
 * A value as the schema wants it.
 * @throws {Problem} `invalid-field` (400) that names every member at fault
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues
    .slice(0, 8)
    .map(({ path, message }) => `${path.length > 0 ? path.map(String).join('.') : 'the body'}: ${message}`);
  throw new Problem('invalid-field', `${faults.join('; ')}.`);
}

/** A name that came by header or query. @throws {Problem} `invalid-field` (400) */
export function checkName(value: string, field: string): string {
  // A schema made for each name would cost more than all else that a chunk's request says.
  if (value.length > 0 && value.length <= MAX_NAME_LENGTH && !CONTROL.test(value)) return value;
  return validate(z.object({ [field]: name }), { [field]: value })[field] as string;
}
