import { escapeForTerminal } from '@boxwright/errors';
import { formatSize } from '../size.ts';
import type { FileRow } from './file-rows.ts';

const typeLetters: Readonly<Record<FileRow['type'], string>> = {
  file: '-',
  hardlink: '-',
  directory: 'd',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
};
const changeLetters = { added: 'A', changed: 'C', removed: 'R' } as const;

/** Rows as lines that `ls -l` readers know, each with a newline: mode, owner, size, layer (or change), path. */
export function* fileLines(rows: Iterable<FileRow>): Generator<string, void, undefined> {
  for (const row of rows) {
    const first = row.change === undefined ? '' : `${changeLetters[row.change]} `;
    const owner = `${row.uid}:${row.gid}`.padEnd(11);
    const layer = row.change !== undefined ? '' : `${String(row.layer ?? '-').padStart(3)}  `;
    yield `${first}${modeText(row)}  ${owner}  ${sizeText(row).padStart(10)}  ${layer}${nameText(row, row.path)}\n`;
  }
}

/** Rows as an indented tree, directories that have no row of their own included. */
export function* fileTree(rows: Iterable<FileRow>): Generator<string, void, undefined> {
  let open: string[] = [];
  for (const row of rows) {
    const components = row.path.split('/').filter((component) => component !== '');
    let depth = 0;
    while (depth < open.length && depth < components.length - 1 && open[depth] === components[depth]) depth++;
    for (; depth < components.length - 1; depth++) {
      yield `${row.change === undefined ? '' : '  '}${'  '.repeat(depth)}${escapeForTerminal(components[depth] ?? '')}/\n`;
    }
    open = components;
    const mark = row.change === undefined ? '' : `${changeLetters[row.change]} `;
    const bytes = sizeText(row);
    const size = bytes === '' ? '' : `  ${bytes}`;
    yield `${mark}${'  '.repeat(Math.max(0, depth))}${nameText(row, components.at(-1) ?? '')}${size}\n`;
  }
}

/** `-rwxr-sr-x`, as ls prints it. */
export function modeText({ type, mode: digits }: Pick<FileRow, 'type' | 'mode'>): string {
  const mode = Number.parseInt(digits, 8);
  const letters = 'rwxrwxrwx'.split('').map((letter, index) => ((mode & (0o400 >> index)) === 0 ? '-' : letter));
  const special = (bit: number, at: number, letter: string): void => {
    if ((mode & bit) !== 0) letters[at] = letters[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return typeLetters[type] + letters.join('');
}

function sizeText({ type, size, content, device }: FileRow): string {
  if (content !== undefined) return formatSize(content.bytes);
  if (device !== undefined && (type === 'char' || type === 'block')) return device.join(', ');
  return type === 'file' ? formatSize(size) : '';
}

function nameText(row: FileRow, name: string): string {
  const slash = row.type === 'directory' && name !== '' && !name.endsWith('/') ? '/' : '';
  const target = row.target === undefined ? '' : ` -> ${escapeForTerminal(row.target)}`;
  const link = row.hardLinkOf === undefined ? '' : ` = ${escapeForTerminal(row.hardLinkOf)}`;
  const what =
    row.change !== 'changed'
      ? ''
      : ` (${row.changed?.length === 0 ? 'the same again' : (row.changed?.join(', ') ?? '')})`;
  return `${escapeForTerminal(name)}${slash}${target}${link}${what}`;
}
