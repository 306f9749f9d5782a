import type { ScratchFile } from '@boxwright/oci';
import type { FileDigests } from '../copy/content-digest.ts';
import type { SourceNode } from '../source/source-tree.ts';

/**
 * A file whose status changed this recently (milliseconds) may change again without a visible difference: the kernel's
 * clock for file times is coarse (a tick, up to 10 ms). Such a file is read again next time.
 */
const RACY_MS = 30;

/** SHA-256 in hexadecimal. */
const DIGEST = /^[0-9a-f]{64}$/;

/** Entries not met in this build that are kept in any case. */
const KEPT_UNMET = 1000;

const HEADER = 'boxwright-stat-index 1\n';

/**
 * Digests of context files by path, good as long as size, times, inode and device stay the same; kept in the store, so
 * that an unchanged context is not read twice. Another context has another index: equal size and time prove nothing there.
 */
export class StatIndex implements FileDigests {
  readonly #file: ScratchFile;
  readonly #known: Map<string, string>;
  /** Paths met in this build. */
  readonly #met = new Set<string>();
  #changed = false;

  private constructor(file: ScratchFile, known: Map<string, string>) {
    this.#file = file;
    this.#known = known;
  }

  /** Reads the index; a missing or damaged file is an empty index. */
  static load(file: ScratchFile): StatIndex {
    const known = new Map<string, string>();
    const text = file.read()?.toString('latin1') ?? '';
    if (text.startsWith(HEADER)) {
      for (let at = HEADER.length; at < text.length; ) {
        const end = text.indexOf('\n', at);
        const cut = text.indexOf('\0', at);
        if (end === -1 || cut === -1) break;
        known.set(text.slice(at, cut), text.slice(cut + 1, end));
        at = end + 1;
      }
    }
    return new StatIndex(file, known);
  }

  get(node: SourceNode): string | undefined {
    if (node.content?.kind !== 'file') return undefined;
    const entry = this.#known.get(node.path);
    this.#met.add(node.path);
    const { identity } = node.content;
    if (entry?.startsWith(`${identity}\0`) !== true) return undefined;
    const digest = entry.slice(identity.length + 1);
    // After a power cut parts of the file may be missing.
    return DIGEST.test(digest) ? digest : undefined;
  }

  set(node: SourceNode, digest: string): void {
    if (node.content?.kind !== 'file' || node.path.includes('\n')) return;
    const changedAtNs = BigInt(node.content.identity.split(':')[2] ?? '0');
    const age = Date.now() - Number(changedAtNs / 1_000_000n);
    if (age < RACY_MS) return;
    this.#known.set(node.path, `${node.content.identity}\0${digest}`);
    this.#met.add(node.path);
    this.#changed = true;
  }

  /** Writes the index if something was learnt; two builds at once may lose each other's news, never more. */
  save(): void {
    if (!this.#changed) return;
    const lines = [HEADER];
    // Files that are gone, or that an other ignore file lets in, are remembered until they are most of what is known.
    const isStale = this.#known.size > 2 * this.#met.size + KEPT_UNMET;
    for (const [path, entry] of this.#known) {
      if (!isStale || this.#met.has(path)) lines.push(`${path}\0${entry}\n`);
    }
    this.#file.replace(Buffer.from(lines.join(''), 'latin1'));
    this.#changed = false;
  }
}
