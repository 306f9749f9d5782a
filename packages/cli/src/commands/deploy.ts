import { homedir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { EngineName } from '@boxwright/build';
import {
  buildxStepEngine,
  type DeploymentResult,
  deployProject,
  dockerStepEngine,
  type EmbeddedStepEngineOptions,
  embeddedStepEngine,
  failuresOf,
  findProjectFile,
  loadSources,
  mayRunCommands,
  type OuterStepEngineOptions,
  type Project,
  parseJobVariables,
  planDeployments,
  prefectApi,
  prefectRegistrar,
  prefectServerFrom,
  Redactor,
  type Registrar,
  readProject,
  registrationJson,
  type StepEngine,
  stepRegistries,
} from '@boxwright/deploy';
import { escapeForTerminal, safeJson, UsageError } from '@boxwright/errors';
import { ImageStore } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { newCommand } from '../commander.ts';
import { addDeployFlags, type DeployFlags } from '../deploy/deploy-flags.ts';
import { planText, summaryJson, summaryTable } from '../deploy/summary.ts';
import { createRenderer, type ProgressMode } from '../progress/create-renderer.ts';
import { registryNotes } from '../registry-note.ts';
import { storeRoot } from '../store-root.ts';
import { renderError } from '../terminal/render-error.ts';
import { isRoot, runInUserNamespace } from '../user-namespace.ts';
import { writeFileAtomically } from '../write-file.ts';

/** What engines are made of. */
type EngineParts = EmbeddedStepEngineOptions & OuterStepEngineOptions;

const examples = [
  'boxwright deploy                                  the only deployment of boxwright.yaml or prefect.yaml',
  'boxwright deploy etl reports                      two of them',
  "boxwright deploy 'etl-*'                          those of a pattern",
  'boxwright deploy --all --dry-run',
  'boxwright deploy --all --prefect-api http://127.0.0.1:4200/api',
];

/** `boxwright deploy`. */
export function deployCommand(context: CommandContext): Command {
  const command = newCommand(
    'deploy',
    'Builds and pushes the images of a project file (boxwright.yaml, prefect.yaml).',
    context,
    examples,
  ).argument('[names...]', 'deployments: NAME, FLOW/NAME or a pattern with *');
  return addDeployFlags(command).action((names: readonly string[], flags: DeployFlags) =>
    deploy([...names, ...flags.name], flags, context),
  );
}

async function deploy(names: readonly string[], flags: DeployFlags, context: CommandContext): Promise<void> {
  const { env, cwd } = context;
  const project = readProject(shortPath(flags.file === undefined ? findProjectFile(cwd) : resolve(cwd, flags.file)));
  const redactor = new Redactor();
  const sources = await loadSources({
    directory: project.directory,
    env,
    ...(flags.variables === undefined ? {} : { file: resolve(cwd, flags.variables) }),
  });
  const selection = { names, all: flags.all };
  const registrar = registrarOf(flags, redactor, context);
  if (flags.dryRun) {
    showWarnings(project, flags, context);
    const plan = await planDeployments({ ...selection, project, sources, env, redactor, registrar });
    context.stdout.write(flags.format === 'json' ? `${safeJson(plan, 2)}\n` : planText(plan));
    return;
  }
  if (needsPrivilege(flags, () => mayRunCommands(project, selection)) && (await runInUserNamespace(context))) return;
  showWarnings(project, flags, context);
  const renderer = await createRenderer(progressMode(flags, context), context.stderr, context.colors);
  const noteOf = registryNotes();
  using store = new LazyStore(storeRoot(flags.store, context));
  const home = env['HOME'] || homedir();
  const registries = stepRegistries({
    env,
    home,
    insecure: flags.insecure.length === 0 ? undefined : flags.insecure,
    journalDirectory: join(store.root, 'uploads'),
    signal: context.signal,
    onEvent: (event) => {
      const note = noteOf(event);
      if (note?.level === 'warning') renderer.onEvent({ type: 'warning', message: redactor.redact(note.text) });
    },
  });
  let results: readonly DeploymentResult[];
  try {
    const { useThisThreadForSandboxes } = await import('@boxwright/build');
    if (context.ownsProcess) useThisThreadForSandboxes();
    const engines = new Map<EngineName, StepEngine>();
    results = await deployProject({
      ...selection,
      registrar,
      project,
      sources,
      redactor,
      context: {
        env,
        store: store.open,
        engine: (name) => {
          const parts = { env, home, store: store.open, registries: registries.open };
          const known = engines.get(name) ?? makeEngine(name, parts);
          engines.set(name, known);
          return known;
        },
        defaultEngine: flags.engine,
        engineIsForced: flags.engine !== undefined,
        signal: context.signal,
        onEvent: (event) => renderer.onEvent(event),
      },
    });
  } finally {
    renderer.finish();
    registries.close();
  }
  if (flags.registration !== undefined) {
    const made = results.flatMap(({ registration }) =>
      registration === undefined ? [] : registrationJson(registration),
    );
    // Job variables may hold what blocks hold.
    writeFileAtomically(resolve(cwd, flags.registration), `${safeJson(made, 2)}\n`, 0o600);
  }
  report(results, flags, redactor, context);
}

/** @throws UsageError; BoxwrightError PREFECT_API_URL_INVALID */
function registrarOf(flags: DeployFlags, redactor: Redactor, { env, signal }: CommandContext): Registrar {
  const { prefectApi: wanted, tag: tags, keepPlaceholders } = flags;
  const known = prefectServerFrom(env);
  const server = typeof wanted === 'string' ? { ...known, url: wanted } : wanted === true ? known : undefined;
  if (wanted === true && server === undefined) {
    throw new UsageError('--prefect-api: PREFECT_API_URL is not set', { hint: 'Write --prefect-api URL.' });
  }
  const api = server === undefined ? undefined : prefectApi(server, { signal });
  const jobVariables = parseJobVariables(flags.jobVariable);
  redactor.addNamed(jobVariables);
  return prefectRegistrar({ api, env, tags, jobVariables, keepPlaceholders });
}

function makeEngine(name: EngineName, parts: EngineParts): StepEngine {
  switch (name) {
    case 'embedded':
      return embeddedStepEngine(parts);
    case 'docker':
      return dockerStepEngine(parts);
    case 'buildx':
      return buildxStepEngine(parts);
    default:
      return name satisfies never;
  }
}

/** The summary on standard output; failures follow on standard error, the last one thrown. */
function report(
  results: readonly DeploymentResult[],
  flags: DeployFlags,
  redactor: Redactor,
  context: CommandContext,
): void {
  if (flags.format === 'json') context.stdout.write(`${safeJson(summaryJson(results, redactor), 2)}\n`);
  else context.stdout.write(summaryTable(results));
  context.signal.throwIfAborted();
  const failures = failuresOf(results);
  const last = failures.at(-1);
  if (last === undefined) return;
  const format = flags.format === 'json' ? 'json' : 'text';
  for (const error of failures.slice(0, -1)) {
    context.stderr.write(renderError(error, { format, colors: context.colors, debug: false }));
  }
  throw last;
}

function showWarnings(project: Project, flags: DeployFlags, { stderr }: CommandContext): void {
  if (flags.quiet || flags.format === 'json') return;
  for (const { range, message, hint } of project.warnings) {
    const where = `${range.source.file}:${range.start.line}:${range.start.column}`;
    stderr.write(`warning: ${escapeForTerminal(`${where}: ${message}${hint === undefined ? '' : ` (${hint})`}`)}\n`);
  }
}

/** Only our own engine runs commands of builds itself; copies need no privilege. */
function needsPrivilege({ engine = 'embedded' }: DeployFlags, mayRun: () => boolean): boolean {
  return isRoot() || (engine === 'embedded' && mayRun());
}

/** Programs that read JSON get nothing but errors on standard error, unless they ask for progress. */
function progressMode({ quiet, format, progress }: DeployFlags, { stderr }: CommandContext): ProgressMode | 'silent' {
  if (quiet) return format === 'json' || progress === 'rawjson' ? 'silent' : 'quiet';
  const isForProgram = format === 'json' && progress === 'auto' && stderr.isTTY !== true;
  return isForProgram ? 'silent' : progress;
}

/** As short as it can be: it is shown in every message about the file. */
function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

/** The store, opened when an engine wants it. */
class LazyStore implements Disposable {
  readonly root: string;
  #store: ImageStore | undefined;

  constructor(root: string) {
    this.root = root;
  }

  readonly open = (): ImageStore => {
    this.#store ??= ImageStore.open(this.root);
    return this.#store;
  };

  [Symbol.dispose](): void {
    this.#store?.close();
  }
}
