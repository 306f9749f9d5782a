import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageLayer, ImageSource } from '@boxwright/oci';
import type { LayerPassOptions } from '../../layers/index.ts';
import type { CopyStep, DockerfileStep, ReconstructedDockerfile } from '../model.ts';
import { copyText } from '../write-copy.ts';
import { mergeTree } from './merge-tree.ts';
import { spoolLayer } from './spool-layer.ts';
import { CopiedWriter, type ExtractFinding } from './write-copied.ts';

/** What {@link extractContext} reads. */
export interface ExtractRequest extends Pick<LayerPassOptions, 'signal' | 'onProgress'> {
  readonly dockerfile: ReconstructedDockerfile;
  /** The image's layers, base first; only those of COPY and ADD are read. */
  readonly layers: readonly ImageLayer[];
  readonly source: ImageSource;
  /** An empty directory. */
  readonly directory: string;
}

/** What lies in the directory afterwards. */
export interface ExtractedContext {
  /** With the content of heredocs, and other names where two COPYs had different files of one name. */
  readonly dockerfile: ReconstructedDockerfile;
  /** Where `DIR/context` is: the build context. */
  readonly contextDir: string;
  /** Directories that stand in for stages and images, by the name in `--from`. */
  readonly contexts: ReadonlyMap<string, string>;
  readonly findings: readonly ExtractFinding[];
}

/**
 * Takes the files of COPY and ADD out of their layers and lays them out so that the Dockerfile builds: `context/` as the
 * build context was, `lost-N/` for each `--from` that is not known. Each layer is streamed once from wherever it is. Names
 * from the image are only ever used below these directories, and no link is followed.
 *
 * @throws BoxwrightError as reading layers does (TAR_INVALID, LAYER_INVALID, …); the signal's reason
 */
export async function extractContext(request: ExtractRequest): Promise<ExtractedContext> {
  const { dockerfile, layers, directory } = request;
  const extraction = new Extraction(request);
  const steps: DockerfileStep[] = [];
  try {
    for (const step of dockerfile.steps) {
      const layer = step.layer === undefined ? undefined : layers[step.layer];
      const isFound = step.copy !== undefined && layer !== undefined && !isRemote(step.copy);
      steps.push(isFound ? await extraction.step(step, step.copy, layer) : step);
    }
  } finally {
    extraction.removeSpool();
  }
  const contextDir = join(directory, 'context');
  mkdirSync(contextDir, { recursive: true });
  // What was copied was not ignored; an ignore file among it must not make it so now.
  if (existsSync(join(contextDir, '.dockerignore'))) writeFileSync(join(directory, 'Dockerfile.dockerignore'), '');
  return {
    dockerfile: { ...dockerfile, steps },
    contextDir,
    contexts: extraction.contexts,
    findings: extraction.findings,
  };
}

class Extraction {
  readonly contexts = new Map<string, string>();
  readonly findings: ExtractFinding[] = [];
  readonly #request: ExtractRequest;
  readonly #spool: string;
  #lost: number;

  constructor(request: ExtractRequest) {
    this.#request = request;
    this.#spool = join(request.directory, '.unpacking');
    this.#lost = request.dockerfile.steps.filter(({ copy }) => copy?.from !== undefined).length;
  }

  async step(step: DockerfileStep, copy: CopyStep, layer: ImageLayer): Promise<DockerfileStep> {
    const { source, signal, onProgress } = this.#request;
    const tree = join(this.#spool, 'tree');
    const spooled = await spoolLayer(source, layer, join(this.#spool, 'files'), {
      signal,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    const writer = new CopiedWriter(spooled, tree);
    const found = writer.write(copy);
    const placed = this.#place(found, tree, step.row);
    this.findings.push(...writer.findings(step.row));
    this.removeSpool();
    const text = copyText(placed) ?? step.text;
    return { ...step, text, copy: placed, losses: step.losses.filter((loss) => !isFoundAgain(loss, placed)) };
  }

  removeSpool(): void {
    rmSync(this.#spool, { recursive: true, force: true });
  }

  /** Into the build context, or into a directory of its own where the COPY is from elsewhere or the context has other files. */
  #place(copy: CopyStep, tree: string, row: number | undefined): CopyStep {
    const { directory } = this.#request;
    if (copy.from === undefined) {
      if (mergeTree(tree, join(directory, 'context'))) return copy;
      if (copy.kind === 'ADD') {
        this.findings.push({ kind: 'conflict', ...(row === undefined ? {} : { row }), count: 1 });
        return copy;
      }
    }
    const name = copy.from ?? `lost-${++this.#lost}`;
    const place = join(directory, name);
    renameSync(tree, place);
    this.contexts.set(name, place);
    return { ...copy, from: name };
  }
}

/** Still there where it was, one hopes: it is fetched anew. */
function isRemote(copy: CopyStep): boolean {
  return copy.sources.some((source) => /^(?:https?|git|ssh):\/\/|^git@/.test(source));
}

function isFoundAgain({ kind, detail }: DockerfileStep['losses'][number], copy: CopyStep): boolean {
  return kind === 'inline-content' && copy.inline.some(({ name, content }) => name === detail && content !== undefined);
}
