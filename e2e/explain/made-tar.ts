/** A file or, without content, a symbolic link or a directory of a layer. */
export interface MadeFile {
  /** At most 100 bytes. */
  readonly path: string;
  readonly content?: Buffer | string;
  /** Target of a symbolic link, at most 100 bytes. */
  readonly link?: string;
}

/** A tar of files: POSIX ustar, written by none of the code that is tested. */
export function tarOf(files: readonly MadeFile[]): Buffer {
  return Buffer.concat([...files.map(entryOf), Buffer.alloc(1024)]);
}

/** One entry with its content, padded. */
export function entryOf({ path, content, link }: MadeFile): Buffer {
  const body = Buffer.from(content ?? '');
  const kind = link !== undefined ? '2' : content === undefined ? '5' : '0';
  const padding = Buffer.alloc((512 - (body.length % 512)) % 512);
  return Buffer.concat([headerOf(path, kind, body.length, link ?? ''), body, padding]);
}

function headerOf(path: string, kind: string, size: number, link: string): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(path, 0, 100);
  header.write(`${octal(0o644, 7)}${octal(0, 7)}${octal(0, 7)}${octal(size, 11)}${octal(0, 11)}        ${kind}`, 100);
  header.write(link, 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 6)} `, 148);
  return header;
}
