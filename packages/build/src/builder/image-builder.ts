import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { BuildResult } from '../engine/engine.ts';
import { type BuildOptions, buildImage } from './build-image.ts';
import { relativeSource, sourceOnDisk } from './context-source.ts';
import { copyTree } from './copy-tree.ts';
import { DockerfileWriter } from './dockerfile-writer.ts';
import { type CopyOptions, copyContextLine } from './instructions/copy-lines.ts';
import { instructionError } from './instructions/instruction-error.ts';
import { removeAtExit } from './remove-at-exit.ts';

/** What an {@link ImageBuilder} starts with. */
export interface ImageBuilderOptions {
  /** Where relative sources are; default: the given context, else the current directory. */
  readonly baseDirectory?: string;
  /** `linux/arm64`; default: that of this machine. */
  readonly platform?: string;
  /** A directory to build, with what is in it; default: a temporary one that holds only what is copied. */
  readonly context?: string;
}

/**
 * Prefect's `ImageBuilder`: collects the lines of a Dockerfile and the files that they copy, and builds the image.
 *
 *     await using image = new ImageBuilder('python:3.12-slim');
 *     image.copy('requirements.txt', '/app/').run(['pip', 'install', '-r', '/app/requirements.txt']);
 *     const { imageId } = await image.build({ tag: 'app:1' });
 *
 * Nothing is written into a directory of the user's but the files of {@link writeText}, in a given context, and those go
 * again when the builder is disposed of; the Dockerfile is never written. The temporary context goes then too, and when the
 * process ends, also by a signal. The lines stay: assertions work afterwards.
 */
export class ImageBuilder extends DockerfileWriter implements AsyncDisposable, Disposable {
  /** Absolute. */
  readonly baseDirectory: string;
  readonly platform: string | undefined;
  readonly #given: string | undefined;
  #temporary: { readonly path: string; readonly remove: () => void } | undefined;
  readonly #written = new Map<string, () => void>();
  readonly #building = new Set<Promise<BuildResult>>();
  #disposed = false;

  /**
   * @param baseImage what FROM names, also with `AS name`
   * @throws BoxwrightError CONTEXT_HAS_DOCKERFILE: the one in the context would not be used; INSTRUCTION_INVALID for a base
   *   image with a line break
   */
  constructor(baseImage: string, options: ImageBuilderOptions = {}) {
    super();
    const { context, baseDirectory = context ?? '.', platform } = options;
    if (/[\n\r]/.test(baseImage)) throw instructionError('FROM', baseImage, 'it has a line break');
    this.baseDirectory = resolve(baseDirectory);
    this.platform = platform;
    this.#given = context === undefined ? undefined : resolve(context);
    if (this.#given !== undefined && existsSync(join(this.#given, 'Dockerfile'))) {
      throw new BoxwrightError(
        'CONTEXT_HAS_DOCKERFILE',
        `There is already a Dockerfile at ${escapeForTerminal(this.#given)}`,
        { hint: 'An ImageBuilder makes its own: build that one with buildImage, or give another context.' },
      );
    }
    this.addLine(`FROM ${baseImage}`);
  }

  /** The directory that is built; a temporary one is made now. @throws BoxwrightError CONTEXT_CLOSED */
  get context(): string {
    if (this.#disposed) {
      throw new BoxwrightError('CONTEXT_CLOSED', 'No context available', {
        hint: 'The builder was disposed of: build inside the block that has `await using`.',
      });
    }
    if (this.#given !== undefined) return this.#given;
    if (this.#temporary === undefined) {
      const path = realpathSync(mkdtempSync(join(tmpdir(), 'boxwright-context-')));
      this.#temporary = { path, remove: removeAtExit(path) };
    }
    return this.#temporary.path;
  }

  /**
   * Copies a file or a directory into the image. As in Prefect, the destination is Dockerfile text: variables are replaced,
   * and a slash at its end means a directory. The source is a name; in a given context it may have wildcards.
   *
   * A temporary context gets a copy at once: what happens to the source later does not matter. In a given context nothing is
   * copied and nothing has to exist before the build.
   *
   * @throws BoxwrightError SOURCE_OUTSIDE_BASE, COPY_SOURCE_NOT_FOUND, CONTEXT_FILE_SPECIAL, CONTEXT_CLOSED, INSTRUCTION_INVALID
   */
  copy(source: string, destination: string, options?: CopyOptions): this {
    const { context } = this;
    const relative = relativeSource(this.baseDirectory, source);
    const line = this.#copyLine(relative, destination, options);
    if (this.#given === undefined) {
      const found = sourceOnDisk(this.baseDirectory, relative);
      const target = join(context, relative);
      mkdirSync(dirname(target), { recursive: true });
      copyTree(found, target);
    }
    return this.addLine(line);
  }

  /**
   * Writes a text file (UTF-8) into the image: a hidden file in the context, named after its content, and a COPY of it.
   *
   * @throws BoxwrightError CONTEXT_CLOSED, INSTRUCTION_INVALID
   */
  writeText(text: string, destination: string, options?: CopyOptions): this {
    const name = `.${createHash('sha256').update(text).digest('hex')}`;
    const line = copyContextLine(name, destination, options);
    const path = join(this.context, name);
    // Neither through a link nor over something else that somebody has put there.
    if (!isFileWith(path, text)) {
      rmSync(path, { recursive: true, force: true });
      writeFileSync(path, text, { flag: 'wx', mode: 0o644 });
      if (this.#given !== undefined) this.#written.set(name, removeAtExit(path));
    }
    return this.addLine(line);
  }

  /**
   * Builds the image of all lines so far; can be called again.
   *
   * @throws BuildError, and what `buildImage` throws; BoxwrightError CONTEXT_CLOSED
   */
  build(options: BuildOptions = {}): Promise<BuildResult> {
    const building = this.#build(options).finally(() => {
      this.#building.delete(building);
    });
    this.#building.add(building);
    return building;
  }

  async #build(options: BuildOptions): Promise<BuildResult> {
    const { platform } = this;
    return buildImage(this.context, {
      ...options,
      dockerfileText: this.dockerfile,
      ...(platform === undefined ? {} : { platform }),
    });
  }

  /** @throws DockerfileAssertionError unless `copy(source, containerPath)` was called; BoxwrightError SOURCE_OUTSIDE_BASE */
  assertHasFile(source: string, containerPath: string): void {
    this.assertHasLine(this.#copyLine(relativeSource(this.baseDirectory, source), containerPath));
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#temporary?.remove();
    this.#temporary = undefined;
    for (const remove of this.#written.values()) remove();
    this.#written.clear();
  }

  /** Waits for builds that go on: `return image.build()` ends the block before its promise is settled. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#building);
    this[Symbol.dispose]();
  }

  #copyLine(source: string, destination: string, options?: CopyOptions): string {
    const mayBePattern = this.#given !== undefined && !existsSync(join(this.#given, source));
    return copyContextLine(source, destination, options, mayBePattern);
  }
}

function isFileWith(path: string, text: string): boolean {
  try {
    return readFileSync(path, 'utf8') === text;
  } catch {
    return false;
  }
}
