import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export const ROOT = path.resolve(__dirname, '../..');

/** One import of a source file. */
export interface Import {
  /** A package, or a path relative to `src/`, without its ending, such as `base/errors`. */
  readonly target: string;
  readonly isPackage: boolean;
  /** Gone after compilation: everything in it is a type. */
  readonly typeOnly: boolean;
}

/** One TypeScript file of `src/`, as far as the repo's rules look at it. */
export interface Source {
  /** Relative to `src/`, such as `base/errors.ts`. */
  readonly file: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Whether it passes on what it imports: `export … from`. */
  readonly reexports: boolean;
  /** Names of globals that it calls or reads, such as `setTimeout`, `console`, `process.exit`. */
  readonly uses: ReadonlySet<string>;
}

/** All TypeScript files below `src/`, without the pages, which have rules of their own. */
export function readSources(): Source[] {
  const directory = path.join(ROOT, 'src');
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith(`web${path.sep}`))
    .sort()
    .map((file) => readSource(file, readFileSync(path.join(directory, file), 'utf8')));
}

/** @param file relative to `src/` */
export function readSource(file: string, text: string): Source {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const imports: Import[] = [];
  const uses = new Set<string>();
  let reexports = false;
  const add = (specifier: string, typeOnly: boolean): void => {
    const isPackage = !specifier.startsWith('.');
    const target = isPackage
      ? specifier
      : path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '');
    imports.push({ target, isPackage, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier))
      add(node.moduleSpecifier.text, isTypeOnly(node));
    if (ts.isExportDeclaration(node) && node.moduleSpecifier) reexports = true;
    if (ts.isCallExpression(node)) {
      const [first] = node.arguments;
      const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
      const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
      if ((isImport || isRequire) && first && ts.isStringLiteral(first)) add(first.text, false);
      if (ts.isIdentifier(node.expression)) uses.add(node.expression.text);
    }
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      uses.add(`${node.expression.text}.${node.name.text}`);
      if (node.expression.text === 'console') uses.add('console');
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { file, lines: text.split('\n').length - 1, imports, reexports, uses };
}

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false;
  if (importClause.isTypeOnly) return true;
  const { name, namedBindings } = importClause;
  if (name || !namedBindings || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.every((element) => element.isTypeOnly);
}

/** The project's own documents: Markdown, without what is installed or built. */
export function readDocuments(): { file: string; text: string }[] {
  const skipped = new Set(['node_modules', 'dist', 'data', 'coverage', '.git', '.cache']);
  const found: { file: string; text: string }[] = [];
  const walk = (directory: string): void => {
    for (const entry of readdirSync(path.join(ROOT, directory), { withFileTypes: true })) {
      const file = path.join(directory, entry.name);
      if (entry.isDirectory() && !skipped.has(entry.name)) walk(file);
      if (entry.isFile() && entry.name.endsWith('.md'))
        found.push({ file, text: readFileSync(path.join(ROOT, file), 'utf8') });
    }
  };
  walk('.');
  return found;
}
