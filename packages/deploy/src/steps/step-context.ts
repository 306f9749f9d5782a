import { isAbsolute, resolve } from 'node:path';
import type { BuildEvent, EngineName } from '@boxwright/build';
import type { ImageStore } from '@boxwright/oci';
import type { StepEngine } from './engines/step-engine.ts';
import { Redactor } from './redactor.ts';
import { StepCache } from './step-cache.ts';
import { StepProgress } from './step-progress.ts';
import type { StepReport } from './step-report.ts';

/** The directory that steps work in. Steps change it for those after them, never for the process. */
export interface StepDirectory {
  path: string;
}

/** What steps see of the world around them. */
export interface StepContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: StepDirectory;
  /** The local store: where the embedded engine keeps images. */
  readonly store: () => ImageStore;
  /** The engine that builds and pushes. @throws BoxwrightError where there is none of that name */
  readonly engine: (name: EngineName) => StepEngine;
  /** The engine of steps that name none, or of all steps where `engineIsForced`. */
  readonly defaultEngine: EngineName;
  readonly engineIsForced: boolean;
  /** The steps are those of a `prefect.yaml`: `dockerfile: auto` makes what Prefect makes. */
  readonly isPrefectProject: boolean;
  readonly cache: StepCache;
  readonly redactor: Redactor;
  readonly progress: StepProgress;
  readonly report: (report: StepReport) => void;
  readonly signal: AbortSignal;
}

/** What {@link createStepContext} needs; the rest has defaults. */
export interface StepContextOptions {
  readonly store: () => ImageStore;
  readonly engine: (name: EngineName) => StepEngine;
  /** Default `embedded`. */
  readonly defaultEngine?: EngineName | undefined;
  /** True when `defaultEngine` also takes the place of what steps ask for with `build_backend`. */
  readonly engineIsForced?: boolean | undefined;
  /** Default: those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Absolute; default: the process's working directory. */
  readonly directory?: string | undefined;
  /** Default false. */
  readonly isPrefectProject?: boolean | undefined;
  readonly cache?: StepCache | undefined;
  readonly redactor?: Redactor | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where events go. Ignored with `progress`. */
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
  /** That of a run, so that no two rows of its deployments have the same id; default: one of its own. */
  readonly progress?: StepProgress | undefined;
  readonly onReport?: ((report: StepReport) => void) | undefined;
}

/** A context for steps that are called from TypeScript, and the one that the runner makes. */
export function createStepContext(options: StepContextOptions): StepContext {
  const { store, engine, onEvent, redactor = new Redactor() } = options;
  return {
    env: options.env ?? process.env,
    directory: { path: resolve(options.directory ?? '.') },
    store,
    engine,
    defaultEngine: options.defaultEngine ?? 'embedded',
    engineIsForced: options.engineIsForced ?? false,
    isPrefectProject: options.isPrefectProject ?? false,
    cache: options.cache ?? new StepCache(),
    redactor,
    progress: options.progress ?? new StepProgress(redactor, onEvent),
    report: options.onReport ?? (() => {}),
    signal: options.signal ?? new AbortController().signal,
  };
}

/** A path of a step's input: relative ones start at the steps' directory. */
export function pathInStep(context: Pick<StepContext, 'directory'>, path: string): string {
  return isAbsolute(path) ? resolve(path) : resolve(context.directory.path, path);
}
