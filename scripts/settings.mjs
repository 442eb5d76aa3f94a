// `npm run settings`: writes the table of settings into the README, from the one in src/base/config.ts (as built).
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { settingsTable } = createRequire(import.meta.url)(path.join(root, 'dist', 'base', 'config-table.js'));
const readme = path.join(root, 'README.md');
const text = readFileSync(readme, 'utf8');
const section = /(<!-- settings -->\n)[\s\S]*?(\n<!-- \/settings -->)/;
if (!section.test(text)) throw new Error('README.md has no section <!-- settings --> … <!-- /settings -->');
writeFileSync(
  readme,
  text.replace(section, (_, start, end) => `${start}\n${settingsTable()}\n${end}`),
);
