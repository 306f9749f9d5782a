import { type ByteString, type TarEntry, TarWriter, toByteString } from '@boxwright/oci';

/** An entry of a layer; a file when it has content, a symlink when it has a target, else a directory. */
export interface Entry extends Partial<Omit<TarEntry, 'path' | 'linkName'>> {
  readonly path: string | ByteString;
  readonly content?: string;
  readonly link?: string;
}

/** The tar archive of a layer. */
export function layerTar(entries: readonly Entry[]): Buffer {
  const pieces: Buffer[] = [];
  const tar = new TarWriter((chunk) => pieces.push(Buffer.from(chunk)));
  for (const { path, content, link, ...rest } of entries) {
    const data = Buffer.from(content ?? '');
    const type = rest.type ?? (link !== undefined ? 'symlink' : content === undefined ? 'directory' : 'file');
    tar.writeEntry({
      type,
      mode: type === 'directory' ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtimeNs: 0n,
      ...rest,
      path: toByteString(path),
      size: data.length,
      ...(link === undefined ? {} : { linkName: toByteString(link) }),
    });
    if (data.length > 0) tar.writeData(data);
    tar.endEntry();
  }
  tar.finish();
  return Buffer.concat(pieces);
}
