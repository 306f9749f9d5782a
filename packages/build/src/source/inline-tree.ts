import { type ByteString, toByteString } from '@boxwright/oci';
import { rootNode } from './resolve.ts';
import type { SourceNode, SourceTree } from './source-tree.ts';

/** Files whose content stands in the Dockerfile: COPY and ADD with heredocs. Mode 0644, root, made now. */
export class InlineTree implements SourceTree {
  readonly #nodes: ReadonlyMap<string, SourceNode>;

  constructor(files: readonly { readonly name: string; readonly content: string }[], mtimeNs: bigint) {
    this.#nodes = new Map(
      files.map(({ name, content }) => {
        const path = toByteString(name.replace(/^\/+/, ''));
        const data = Buffer.from(content, 'utf8');
        return [
          path,
          {
            path,
            type: 'file',
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: data.length,
            mtimeNs,
            content: { kind: 'bytes', data },
          } as const,
        ];
      }),
    );
  }

  lookup(path: ByteString): SourceNode | undefined {
    return path === '' ? rootNode() : this.#nodes.get(path);
  }

  list(): readonly SourceNode[] {
    return [...this.#nodes.values()];
  }
}
