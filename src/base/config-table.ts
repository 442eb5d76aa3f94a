import { SETTINGS } from './settings';

/**
 * The settings as a Markdown table, in the order of `SETTINGS`. The README holds exactly this text, and a test
 * compares the two.
 */
export function settingsTable(): string {
  const rows = Object.values(SETTINGS).map(
    ({ name, shown, meaning, secret }) =>
      `| \`${name}\` | ${code(shown)} | ${cell(meaning)}${secret ? ' (kept out of logs)' : ''} |`,
  );
  return ['| Name | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** A default that is a value stands as code; one that is a sentence stays a sentence. */
function code(shown: string): string {
  return /\s/.test(shown) ? cell(shown) : `\`${shown.replaceAll('|', '\\|')}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
