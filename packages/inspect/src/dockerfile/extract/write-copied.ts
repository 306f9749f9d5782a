import { readFileSync, statSync } from 'node:fs';
import { type ByteString, displayPath, isDirectoryNode, joinPath, type LayerNode } from '@boxwright/oci';
import type { CopyStep } from '../model.ts';
import { copiedFiles } from './copied-files.ts';
import type { SpooledLayer } from './spool-layer.ts';
import { TreeWriter } from './tree-writer.ts';

/** What of a layer could not be put next to the Dockerfile as it was. */
export interface ExtractFinding {
  readonly kind: /** The layer has nothing at the destination of its COPY. */
    | 'nothing-found'
    /** No source explains it; it was left out. */
    | 'unexplained'
    /** Devices and pipes were left out. */
    | 'special'
    /** It belonged to another user than root, which files of a context do not. */
    | 'owner'
    /** Extended attributes, setuid and setgid were left out. */
    | 'attributes'
    /** Two files of one name. */
    | 'in-the-way'
    /** Another COPY took another file from the same path, and ADD knows no --from. */
    | 'conflict';
  /** Index of the history row. */
  readonly row?: number;
  /** As it may be printed: absolute, in the image. The first one; of how many says {@link count}. */
  readonly path?: string;
  readonly count: number;
}

/** Content of heredocs up to this many bytes goes into the Dockerfile. */
const longestInline = 65_536;

/** Files of one COPY, written below a directory as they lay in its context. */
export class CopiedWriter {
  readonly #layer: SpooledLayer;
  readonly #writer: TreeWriter;
  readonly #findings = new Map<ExtractFinding['kind'], { path: string | undefined; count: number }>();
  /** Where the content of a spooled file went: further names of it are links. */
  readonly #written = new Map<number, ByteString>();
  #keepsOwners = false;

  constructor(layer: SpooledLayer, directory: string) {
    this.#layer = layer;
    this.#writer = new TreeWriter(directory);
  }

  /** @returns the step, with the content of its heredocs where it was found */
  write(step: CopyStep): CopyStep {
    this.#keepsOwners = step.flags.some((flag) => flag.startsWith('--chown='));
    const copied = copiedFiles(step, this.#layer.index);
    if (copied === undefined) {
      this.#find('nothing-found', undefined);
      return step;
    }
    for (const path of copied.emptyDirectories) if (!this.#writer.directory(path)) this.#find('in-the-way', undefined);
    for (const { node, contextPath } of copied.trees) this.#tree(node, contextPath);
    for (const node of copied.unexplained) this.#find('unexplained', node);
    this.#writer.finish();
    const inline = step.inline.map(({ name }) => {
      const content = this.#inline(copied.inline.get(name), name);
      return content === undefined ? { name } : { name, content };
    });
    return { ...step, inline };
  }

  findings(row: number | undefined): ExtractFinding[] {
    return [...this.#findings].map(([kind, { path, count }]) => ({
      kind,
      ...(row === undefined ? {} : { row }),
      ...(path === undefined ? {} : { path }),
      count,
    }));
  }

  #tree(top: LayerNode, contextPath: ByteString): void {
    const pending: (readonly [LayerNode, ByteString])[] = [[top, contextPath]];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [node, path] = next;
      if (!this.#node(node, path)) this.#find('in-the-way', node);
      else if (isDirectoryNode(node)) {
        for (const child of this.#layer.index.children(node.path).reverse()) {
          pending.push([child, joinPath(path, child.path.slice(child.path.lastIndexOf('/') + 1))]);
        }
      }
    }
  }

  #node(node: LayerNode, path: ByteString): boolean {
    const { entry, dataOffset } = node;
    if (entry === undefined) return this.#writer.directory(path);
    if (!this.#keepsOwners && entry.uid + entry.gid !== 0) this.#find('owner', node);
    if ((entry.xattrs?.size ?? 0) > 0 || (entry.mode & 0o6000) !== 0) this.#find('attributes', node);
    switch (entry.type) {
      case 'directory':
        return this.#writer.directory(path, entry);
      case 'symlink':
        return this.#writer.symlink(path, entry);
      case 'file': {
        const existing = this.#written.get(dataOffset);
        if (existing !== undefined) return this.#writer.link(path, existing);
        const spooled = this.#layer.files.get(dataOffset);
        if (spooled === undefined || !this.#writer.file(path, spooled, entry)) return false;
        this.#written.set(dataOffset, path);
        return true;
      }
      case 'hardlink':
      case 'char':
      case 'block':
      case 'fifo':
        this.#find('special', node);
        return true;
      default:
        return entry.type satisfies never;
    }
  }

  /** The content of a heredoc, when it is one: text that ends with a newline. */
  #inline(node: LayerNode | undefined, name: string): string | undefined {
    const spooled = node === undefined ? undefined : this.#layer.files.get(node.dataOffset);
    if (spooled === undefined || statSync(spooled).size > longestInline) return undefined;
    const bytes = readFileSync(spooled);
    const text = bytes.toString('utf8');
    const isText = Buffer.from(text).equals(bytes) && (text === '' || text.endsWith('\n'));
    return isText && !text.split('\n').includes(name) ? text : undefined;
  }

  #find(kind: ExtractFinding['kind'], node: LayerNode | undefined): void {
    const found = this.#findings.get(kind);
    if (found === undefined) {
      this.#findings.set(kind, { path: node === undefined ? undefined : displayPath(node.path), count: 1 });
    } else {
      found.count++;
    }
  }
}
