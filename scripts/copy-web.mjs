// Copies the pages into the build. They are plain HTML, CSS and JavaScript: nothing is compiled.
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const target = path.join(root, 'dist', 'web');
rmSync(target, { recursive: true, force: true });
cpSync(path.join(root, 'src', 'web'), target, { recursive: true });
