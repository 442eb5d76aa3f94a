import { InvalidArgumentError, Option } from 'commander';
import { isVibeId } from '../vibes/vibe-id';

/** A vibe id as an argument. */
export function vibeOption(text: string): string {
  if (isVibeId(text)) return text;
  throw new InvalidArgumentError(
    'It must be 1 to 128 letters, digits, _ and -, and begin with a letter or a digit.',
  );
}

/** A length of time as an option. At most what the 32-bit length in a WAV header can say. */
export function secondsOption(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 22_000))
    throw new InvalidArgumentError('It must be a number of seconds, up to 22000.');
  return value;
}

export function wholeNumberOption(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
  return Number(text);
}

export function portOption(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('It must be a whole number from 1 to 65535.');
  return Number(text);
}

const TOKEN = /^[\x21-\x7e]+$/;

/** For a relay with AUTH_MODE=token, or for a vibe that was claimed. */
export function tokenOption(): Option {
  return new Option(
    '--token <token>',
    'a token, or the owner key of a claimed vibe (VIBESFLOW_TOKEN keeps it out of the list of processes)',
  ).argParser((text) => {
    if (TOKEN.test(text)) return text;
    throw new InvalidArgumentError('It must be in one line, without spaces.');
  });
}

/** The token of the option, else of the environment. */
export function tokenFor(
  { token }: { readonly token?: string },
  { env }: { readonly env: Readonly<Record<string, string | undefined>> },
): string | undefined {
  return token ?? (env['VIBESFLOW_TOKEN']?.trim() || undefined);
}
