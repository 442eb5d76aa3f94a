/*
 * Whether node_modules holds what package-lock.json asks for. Shared by `npm start` and `npm test`, which both set
 * themselves up. Keeps to what Node 12 can read, like start.mjs.
 */
import { readFileSync } from 'fs';
import path from 'path';

export function isInstalled(root) {
  const wanted = readJson(path.join(root, 'package-lock.json'));
  // npm notes there what it installed.
  const installed = readJson(path.join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted.packages).every(([place, entry]) => {
    if (place === '') return true;
    const found = installed.packages[place];
    // Optional packages are those of other systems; npm leaves them out.
    return found ? found.version === entry.version : Boolean(entry.optional);
  });
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
