import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** A descriptor, as far as it is looked at. */
interface Named {
  readonly digest: string;
  readonly size: number;
}

/**
 * Reads an image or index with all it names from `blobs/sha256` of a directory (an OCI image layout, a store), and
 * hashes every byte. Returns what is wrong, one line each; children of an index may be absent.
 */
export function findProblemsInDirectory(directory: string, digest: string): string[] {
  const problems: string[] = [];
  const bytes = checked(directory, { digest, size: -1 }, problems);
  if (bytes === undefined) return problems;
  const document: {
    readonly config?: Named;
    readonly layers?: readonly Named[];
    readonly manifests?: readonly Named[];
  } = JSON.parse(readFileSync(bytes, 'utf8'));
  const children = (document.manifests ?? []).filter((child) => existsSync(blobPath(directory, child.digest)));
  if (document.manifests !== undefined && children.length === 0) problems.push(`${digest}: no child is there`);
  for (const child of children) problems.push(...findProblemsInDirectory(directory, child.digest));
  for (const blob of [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])]) {
    checked(directory, blob, problems);
  }
  return problems;
}

function blobPath(directory: string, digest: string): string {
  return join(directory, 'blobs', ...digest.split(':'));
}

/** The path of a blob whose bytes are right. */
function checked(directory: string, { digest, size }: Named, problems: string[]): string | undefined {
  const path = blobPath(directory, digest);
  if (!existsSync(path)) {
    problems.push(`${digest}: missing`);
    return undefined;
  }
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  let count = 0;
  for (let read = 1; read > 0; count += read) {
    read = readSync(file, buffer, 0, buffer.length, null);
    hash.update(buffer.subarray(0, read));
  }
  closeSync(file);
  if (size >= 0 && size !== count) problems.push(`${digest}: ${count} bytes instead of ${size}`);
  if (`sha256:${hash.digest('hex')}` !== digest) problems.push(`${digest}: content is another`);
  return path;
}
