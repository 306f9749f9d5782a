import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { BoxwrightError } from '@boxwright/errors';
import { combineKeys, copyKey, runKey } from '../cache/keys.ts';
import type { WrittenLayer } from '../copy/write-layer.ts';
import { directoriesOf, Layer } from '../layers/layer.ts';
import type { LayerUsers } from '../layers/layer-users.ts';
import type { RunMountPlan, RunOperation } from '../plan/operation.ts';
import { runInSandbox, type SandboxMount, type SandboxResult, warmUpSandbox } from '../sandbox/index.ts';
import { fillCacheDirectory } from './cache-directory.ts';
import { CopyStep, mirrorOperation } from './copy-step.ts';
import { OutputTail } from './output-tail.ts';
import { packRunLayer } from './pack-run-layer.ts';
import type { StepProgress } from './progress.ts';
import { type BuildSession, epochKey } from './session.ts';

type BindMount = Extract<RunMountPlan, { type: 'bind' | 'cache' }>;
type SecretMount = Extract<RunMountPlan, { type: 'secret' }>;

/** Most bytes of a secret (Docker's limit is 500 KB). */
const MAX_SECRET = 512_000;

/** From this on a RUN is expected to leave more than the main thread should pack. */
const LONG_RUN_MS = 150;

/** A RUN on its way: its key first, then, when the cache has nothing, the command itself. */
export class RunStep {
  readonly #session: BuildSession;
  readonly #operation: RunOperation;
  /** What bind mounts of files that are no stage show, as a layer of its own; by position of the mount. */
  readonly #mirrors = new Map<number, CopyStep>();
  #isChanged = false;

  constructor(session: BuildSession, operation: RunOperation) {
    this.#session = session;
    this.#operation = operation;
    for (const [at, mount] of operation.mounts.entries()) {
      if (isBind(mount) && mount.from !== undefined && mount.from.kind !== 'stage') {
        this.#mirrors.set(at, new CopyStep(session, mirrorOperation(mount.from, mount.source)));
      }
    }
  }

  /** Cache key on top of `parent`. */
  async key(parent: string, useCache: boolean): Promise<string> {
    const mounts = await Promise.all(this.#operation.mounts.map((mount, at) => this.#mountKey(mount, at, useCache)));
    return runKey(parent, this.#operation, mounts, epochKey(this.#session.request));
  }

  /** True when a bind mount showed something else than what the key stands for: the result must not be kept. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** Lets go of what bind mounts would have shown: the layer came from the cache. */
  async drop(): Promise<void> {
    for (const mirror of this.#mirrors.values()) await mirror.drop();
  }

  /** Starts the sandbox ahead of the command. @throws BoxwrightError `SANDBOX_UNAVAILABLE` */
  prepare(): void {
    warmUpSandbox();
  }

  async #mountKey(mount: RunMountPlan, at: number, useCache: boolean): Promise<string> {
    const mirror = this.#mirrors.get(at);
    if (mirror !== undefined) return mirror.digest(useCache);
    return isBind(mount) && mount.from?.kind === 'stage' ? this.#session.stageKey(mount.from.stage) : '';
  }

  /**
   * Runs the command on these layers. The result is there as soon as the command has ended: packing the layer goes on
   * beside the next step.
   *
   * @throws BoxwrightError `RUN_FAILED` with the exit code and the last lines of output, `SECRET_NOT_FOUND`, what the sandbox throws
   */
  async execute(below: readonly Layer[], users: LayerUsers, progress: StepProgress): Promise<Layer> {
    const { store, runs, signal, overlay } = this.#session;
    const lowerDirs = await directoriesOf(below);
    const user = await users.find(this.#operation.user);
    const snapshot = store.snapshots.begin();
    const workDir = store.temporaryPath('overlay');
    mkdirSync(workDir, { recursive: true, mode: 0o700 });
    // A command that takes its time probably leaves much to pack.
    const warm = setTimeout(() => this.#session.pool.warm(), LONG_RUN_MS);
    const releases: (() => void)[] = [
      () => rmSync(workDir, { recursive: true, force: true }),
      () => clearTimeout(warm),
    ];
    const tail = new OutputTail();
    try {
      const mounts = await this.#mounts(releases);
      const { env, secretEnv } = this.#environment();
      const result = await runs.run(() => {
        progress.started();
        signal.throwIfAborted();
        return runInSandbox({
          lowerDirs,
          upperDir: snapshot.dir,
          workDir,
          args: this.#operation.args,
          env: [...env, ...secretEnv],
          cwd: this.#operation.cwd,
          user,
          mounts,
          network: this.#operation.network,
          extraHosts: this.#operation.extraHosts,
          signal,
          onOutput: (stream, chunk) => {
            tail.add(chunk);
            progress.log(stream, chunk);
          },
        });
      });
      // What was ended because something else failed has not failed itself.
      if (result.exitCode !== 0) signal.throwIfAborted();
      if (result.exitCode !== 0) throw runFailed(this.#operation, result, tail);
      return packRunLayer(this.#session, snapshot, overlay);
    } catch (error) {
      snapshot.abort();
      throw error;
    } finally {
      for (const release of releases) attempt(release);
    }
  }

  #environment(): { readonly env: readonly string[]; readonly secretEnv: readonly string[] } {
    const secretEnv: string[] = [];
    for (const mount of this.#operation.mounts) {
      if (mount.type !== 'secret' || mount.env === undefined) continue;
      const data = this.#secret(mount);
      if (data !== undefined) secretEnv.push(`${mount.env}=${Buffer.from(data).toString('utf8')}`);
    }
    return { env: [...this.#operation.env, ...this.#operation.proxyEnv], secretEnv };
  }

  async #mounts(releases: (() => void)[]): Promise<readonly SandboxMount[]> {
    const caches = await this.#cacheDirectories(releases);
    const mounts: SandboxMount[] = [];
    for (const [at, mount] of this.#operation.mounts.entries()) {
      const made = await this.#mount(mount, at, caches);
      if (made !== undefined) mounts.push(made);
    }
    const { script } = this.#operation;
    if (script !== undefined) {
      const data = Buffer.from(script.content, 'utf8');
      mounts.push({ kind: 'secret', target: script.path, data, mode: 0o755, uid: 0, gid: 0 });
    }
    return mounts;
  }

  async #mount(
    mount: RunMountPlan,
    at: number,
    caches: ReadonlyMap<string, string>,
  ): Promise<SandboxMount | undefined> {
    switch (mount.type) {
      case 'tmpfs':
        return {
          kind: 'tmpfs',
          target: mount.target,
          ...(mount.sizeBytes === undefined ? {} : { sizeBytes: mount.sizeBytes }),
        };
      case 'secret': {
        const data = this.#secret(mount);
        if (data === undefined || mount.target === undefined) return undefined;
        return { kind: 'secret', target: mount.target, data, mode: mount.mode, uid: mount.uid, gid: mount.gid };
      }
      case 'bind': {
        const layers = await this.#bindLayers(mount, at);
        return {
          kind: 'layers',
          lowerDirs: layers,
          subpath: mount.source,
          target: mount.target,
          readonly: mount.readonly,
        };
      }
      case 'cache': {
        const path = caches.get(cacheId(mount)) ?? '';
        return { kind: 'bind', path, target: mount.target, readonly: mount.readonly };
      }
      default:
        return mount satisfies never;
    }
  }

  /** Directories that hold what a bind mount shows. */
  async #bindLayers(mount: BindMount, at: number): Promise<readonly string[]> {
    const mirror = this.#mirrors.get(at);
    if (mirror === undefined) {
      const layers = mount.from?.kind === 'stage' ? await this.#session.stageLayers(mount.from.stage) : [];
      return directoriesOf(layers);
    }
    const { store } = this.#session;
    const operation = mirrorOperation(mount.from ?? { kind: 'context' }, mount.source);
    const key = copyKey('mirror', operation, await mirror.digest(true), epochKey(this.#session.request));
    const known = store.cache.get(key)?.blobs[0];
    if (known !== undefined) {
      await mirror.drop();
      return [await this.#mirrorLayer({ diffId: known, size: store.blobSize(known) ?? 0 })];
    }
    const written = await mirror.write([]);
    if (written.isChanged === true) this.#isChanged = true;
    else store.cache.put(key, {}, { blobs: [written.diffId] });
    return [await this.#mirrorLayer(written)];
  }

  #mirrorLayer(written: WrittenLayer): Promise<string> {
    return new Layer(this.#session, Promise.resolve(written)).directory();
  }

  /**
   * The directories of cache mounts by id, each taken once however often it is mounted, and in the order of their ids:
   * two commands that lock the same ones must not wait for each other.
   */
  async #cacheDirectories(releases: (() => void)[]): Promise<ReadonlyMap<string, string>> {
    const { store, signal } = this.#session;
    const wanted = this.#operation.mounts.flatMap((mount, at) =>
      mount.type === 'cache' ? [{ id: cacheId(mount), mount, at }] : [],
    );
    const paths = new Map<string, string>();
    for (const { id, mount, at } of wanted.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
      if (paths.has(id)) continue;
      const initial = mount.from === undefined ? [] : await this.#bindLayers(mount, at);
      const cache = await store.cacheMounts.acquire(id, {
        sharing: mount.sharing,
        signal,
        initialise: (directory) => fillCacheDirectory(directory, initial, mount),
      });
      releases.push(() => cache.release());
      paths.set(id, cache.path);
    }
    return paths;
  }

  /** A secret's bytes; read when they are mounted, never kept. @throws BoxwrightError `SECRET_NOT_FOUND` when it is required */
  #secret(mount: SecretMount): Uint8Array | undefined {
    const found = this.#session.request.secrets.find(({ id }) => id === mount.id);
    const data = found === undefined ? undefined : readSecret(found.source);
    if (data !== undefined && data.length > MAX_SECRET) {
      throw new BoxwrightError(
        'SECRET_TOO_LARGE',
        `secret ${mount.id} has ${data.length} bytes, more than ${MAX_SECRET}`,
        { hint: 'mount a file instead' },
      );
    }
    if (data === undefined && mount.required) {
      throw new BoxwrightError('SECRET_NOT_FOUND', `secret ${mount.id} is required by RUN but was not given`, {
        hint: `pass --secret id=${mount.id},src=FILE or --secret id=${mount.id},env=NAME`,
      });
    }
    return data;
  }
}

/** Owner and mode belong to a cache directory when it is made; another set of them is another directory (BuildKit). */
function cacheId({ id, from, source, mode, uid, gid }: Extract<RunMountPlan, { type: 'cache' }>): string {
  return combineKeys(
    'cache-mount',
    id,
    from === undefined ? '' : JSON.stringify([from, source]),
    `${mode}:${uid}:${gid}`,
  );
}

/** Clean-up: what stays behind is removed with the store's other temporary files. */
function attempt(release: () => void): void {
  try {
    release();
  } catch {
    // The command's own result counts.
  }
}

function isBind(mount: RunMountPlan): mount is BindMount {
  return mount.type === 'bind' || mount.type === 'cache';
}

function readSecret(
  source: { readonly file: string } | { readonly env: string } | { readonly value: Uint8Array },
): Uint8Array | undefined {
  if ('value' in source) return source.value;
  if ('file' in source) return readFileSync(source.file);
  const value = process.env[source.env];
  return value === undefined ? undefined : Buffer.from(value, 'utf8');
}

/** The command's own exit code and the end of what it said: what a reader of a CI log looks for. */
function runFailed(operation: RunOperation, result: SandboxResult, tail: OutputTail): BoxwrightError {
  const command = operation.args.join(' ');
  return new BoxwrightError(
    'RUN_FAILED',
    `process "${command}" did not complete successfully: exit code: ${result.exitCode}`,
    {
      hint: result.signal === undefined ? undefined : `it was ended by ${result.signal}`,
      details: { exitCode: result.exitCode, command, output: tail.text },
    },
  );
}
