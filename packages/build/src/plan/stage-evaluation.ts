import {
  type Dockerfile,
  expandInstruction,
  type FromInstruction,
  type Instruction,
  parsePortSpec,
  type RunInstruction,
  resolveArgs,
  runScript,
} from '@boxwright/dockerfile';
import { BoxwrightError } from '@boxwright/errors';
import type { NetworkMode } from '../engine/engine.ts';
import { copyOperation } from './copy-operation.ts';
import { goHealthcheck, goList, goQuotedList, runCommandText } from './history-text.ts';
import { type ContainerSettings, type ImageState, withEnv } from './image-state.ts';
import type { FileSource, Operation, RunOperation } from './operation.ts';
import { cleanAbsolute, resolveWorkdir } from './paths.ts';
import { runMounts } from './run-mounts.ts';
import type { StageScope } from './stage-scope.ts';
import { checkStopSignal } from './stop-signal.ts';

/** What all stages share while they are evaluated. */
export interface EvaluationContext {
  readonly dockerfile: Dockerfile;
  /** Platform ARGs and the ARGs above the first FROM. */
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly proxyEnv: readonly string[];
  readonly network: NetworkMode;
  readonly extraHosts: readonly { readonly host: string; readonly address: string }[];
  /** RFC 3339, when SOURCE_DATE_EPOCH is set: every row gets it. */
  readonly created: string | undefined;
  /** Resolves `--from` and `from=`: a stage, a number, a named context or an image. */
  readonly resolveSource: (name: string) => FileSource;
  /** A variable is used that nothing sets. */
  readonly onUnset: (name: string, instruction: Instruction, known: Iterable<string>) => void;
}

/** An operation with what is shown of it and the history row it fills. */
export interface PlannedStep {
  readonly operation: Operation;
  /** `RUN npm ci`, one line. */
  readonly label: string;
  readonly onBuild: boolean;
  /** What an error of the step points at: the FROM when the step is a trigger of the base image. */
  readonly origin: Instruction | FromInstruction;
  /** Index in the final {@link ImageState.history} of its stage. */
  readonly row: number;
}

/** Comment of every row that comes from a Dockerfile (BuildKit `historyComment`). */
const HISTORY_COMMENT = 'buildkit.dockerfile.v0';

/**
 * Evaluates the instructions of one stage, in order: variables are expanded, the image's settings and history grow,
 * and what touches files becomes a {@link PlannedStep}. Mirrors BuildKit's dockerfile2llb dispatch functions.
 */
export class StageEvaluation {
  readonly #context: EvaluationContext;
  readonly #scope: StageScope;
  readonly #steps: PlannedStep[] = [];
  readonly #from: FromInstruction;
  #image: ImageState;
  #cmdSet = false;

  constructor(context: EvaluationContext, from: FromInstruction, image: ImageState, scope: StageScope) {
    this.#context = context;
    this.#from = from;
    this.#image = image;
    this.#scope = scope;
  }

  get image(): ImageState {
    return this.#image;
  }

  get scope(): StageScope {
    return this.#scope;
  }

  get steps(): readonly PlannedStep[] {
    return this.#steps;
  }

  /** Evaluates one instruction. `onBuild`: it is a trigger of the base image. */
  dispatch(unexpanded: Instruction, onBuild: boolean): void {
    if (unexpanded.kind === 'arg') return this.#arg(unexpanded);
    const instruction = expandInstruction(unexpanded, this.#scope.lookup, {
      dockerfile: this.#context.dockerfile,
      onUnset: (name) => this.#unset(name, unexpanded),
    });
    switch (instruction.kind) {
      case 'env':
        for (const { key, value } of instruction.pairs) {
          this.#scope.set(key, value);
          this.#configure({ env: withEnv(this.#settings.env, key, value) });
        }
        return this.#row(`ENV ${instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(' ')}`);
      case 'label': {
        const labels = new Map(this.#settings.labels);
        for (const { key, value } of instruction.pairs) labels.set(key, value);
        this.#configure({ labels });
        return this.#row(`LABEL ${instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(' ')}`);
      }
      case 'run': {
        const { args, script } = this.#runCommand(instruction);
        this.#step(
          instruction,
          onBuild,
          `RUN ${runCommandText(args, this.#scope.args, this.#scope.lookup)} # buildkit`,
          {
            kind: 'run',
            args,
            env: this.#scope.environment,
            proxyEnv: this.#context.proxyEnv,
            cwd: cleanAbsolute(this.#settings.workingDir, false),
            user: this.#settings.user,
            mounts: runMounts(instruction, this.#settings.workingDir, this.#context.resolveSource),
            network: runNetwork(instruction.network, this.#context.network),
            extraHosts: this.#context.extraHosts,
            script,
          },
        );
        return;
      }
      case 'copy':
      case 'add': {
        const { operation, row } = copyOperation(instruction, this.#settings.workingDir, this.#context.resolveSource);
        this.#step(instruction, onBuild, `${row} # buildkit`, operation);
        return;
      }
      case 'workdir': {
        const shown = resolveWorkdir(this.#settings.workingDir, instruction.path);
        this.#configure({ workingDir: shown });
        const path = cleanAbsolute(shown, false);
        // No "# buildkit" here, and no layer for the root itself.
        if (path === '/') return this.#row(`WORKDIR ${shown}`);
        this.#step(instruction, onBuild, `WORKDIR ${shown}`, { kind: 'workdir', path, user: this.#settings.user });
        return;
      }
      case 'user':
        this.#configure({ user: instruction.user });
        return this.#row(`USER ${instruction.user}`);
      case 'expose': {
        const ports = instruction.ports.flatMap(exposedPorts);
        this.#configure({ exposedPorts: union(this.#settings.exposedPorts, ports) });
        return this.#row(`EXPOSE ${goList(ports)}`);
      }
      case 'volume':
        if (instruction.paths.includes('')) {
          throw new BoxwrightError('DOCKERFILE_VOLUME', 'VOLUME: a path is empty', {
            hint: 'give at least one character',
          });
        }
        this.#configure({ volumes: union(this.#settings.volumes, instruction.paths) });
        return this.#row(`VOLUME ${goList(instruction.paths)}`);
      case 'cmd': {
        const args = this.#commandLine(instruction);
        this.#cmdSet = true;
        // The deprecated flag is what BuildKit still writes with every CMD.
        this.#configure({ cmd: args, argsEscaped: true });
        return this.#row(`CMD ${goQuotedList(args)}`);
      }
      case 'entrypoint': {
        const args = this.#commandLine(instruction);
        // An inherited CMD was meant for the inherited ENTRYPOINT (Dockerfile reference, ENTRYPOINT).
        this.#configure({ entrypoint: args, ...(this.#cmdSet ? {} : { cmd: undefined }) });
        return this.#row(`ENTRYPOINT ${goQuotedList(args)}`);
      }
      case 'shell':
        this.#configure({ shell: instruction.args });
        return this.#row(`SHELL ${goList(instruction.args)}`);
      case 'stopsignal':
        checkStopSignal(instruction.signal);
        this.#configure({ stopSignal: instruction.signal });
        return this.#row(`STOPSIGNAL ${instruction.signal}`);
      case 'healthcheck': {
        const healthcheck = {
          test: instruction.test,
          intervalNs: instruction.intervalNs ?? 0,
          timeoutNs: instruction.timeoutNs ?? 0,
          startPeriodNs: instruction.startPeriodNs ?? 0,
          startIntervalNs: instruction.startIntervalNs ?? 0,
          retries: instruction.retries ?? 0,
        };
        this.#configure({ healthcheck });
        return this.#row(`HEALTHCHECK ${goHealthcheck(healthcheck)}`);
      }
      case 'onbuild':
        // In the config only: a row appears when the trigger runs.
        return this.#configure({ onBuild: [...this.#settings.onBuild, instruction.text] });
      case 'maintainer':
        this.#image = { ...this.#image, author: instruction.author };
        return this.#row(`MAINTAINER ${instruction.author}`);
      default:
        return instruction satisfies never;
    }
  }

  get #settings(): ContainerSettings {
    return this.#image.settings;
  }

  get #shell(): readonly string[] {
    const { shell } = this.#settings;
    return shell !== undefined && shell.length > 0 ? shell : ['/bin/sh', '-c'];
  }

  #commandLine(instruction: {
    readonly form: 'shell' | 'exec';
    readonly command: string;
    readonly args: readonly string[];
  }): readonly string[] {
    return instruction.form === 'exec' ? instruction.args : [...this.#shell, instruction.command];
  }

  #runCommand(instruction: RunInstruction): Pick<RunOperation, 'args' | 'script'> {
    const script = runScript(instruction);
    if (script.kind === 'args') {
      if (script.args.length > 0) return { args: script.args, script: undefined };
      throw new BoxwrightError('DOCKERFILE_SYNTAX', 'RUN has nothing to run', { hint: 'name a program: RUN ["true"]' });
    }
    if (script.kind === 'shell') return { args: [...this.#shell, script.text], script: undefined };
    return { args: [...this.#shell, script.path], script: { path: script.path, content: script.content } };
  }

  #arg(instruction: Extract<Instruction, { kind: 'arg' }>): void {
    const { buildArgs, globalArgs, dockerfile } = this.#context;
    const resolved = resolveArgs(instruction, {
      lookup: this.#scope.lookup,
      buildArgs,
      globalArgs,
      dockerfile,
      onUnset: (name) => this.#unset(name, instruction),
    });
    for (const { key, value } of resolved) this.#scope.declareArg(key, value);
    this.#row(`ARG ${resolved.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(' ')}`);
  }

  /** A declared ARG without a value is empty on purpose (BuildKit `reportUnmatchedVariables`). */
  #unset(name: string, instruction: Instruction): void {
    if (this.#scope.args.some(({ key }) => key === name)) return;
    this.#context.onUnset(name, instruction, this.#scope.names);
  }

  #configure(changes: Partial<ContainerSettings>): void {
    this.#image = { ...this.#image, settings: { ...this.#settings, ...changes } };
  }

  #row(createdBy: string, emptyLayer = true): void {
    const { created } = this.#context;
    const row = { createdBy, comment: HISTORY_COMMENT, emptyLayer, ...(created === undefined ? {} : { created }) };
    this.#image = { ...this.#image, history: [...this.#image.history, row] };
  }

  #step(instruction: Instruction, onBuild: boolean, createdBy: string, operation: Operation): void {
    const row = this.#image.history.length;
    this.#row(createdBy, false);
    this.#steps.push({
      operation,
      label: label(instruction),
      onBuild,
      origin: onBuild ? this.#from : instruction,
      row,
    });
  }
}

/** Several lines shown as one, as buildx shows a step. */
function label(instruction: Instruction): string {
  const text = instruction.original.replace(/[\\`]?\r?\n\s*/g, ' ').trim();
  return `${instruction.name}${text.slice(instruction.name.length)}`;
}

function exposedPorts(spec: string): readonly string[] {
  const parsed = parsePortSpec(spec);
  if ('ports' in parsed) return parsed.ports;
  throw new BoxwrightError('DOCKERFILE_EXPOSE', `EXPOSE ${spec}: ${parsed.reason}`, {
    hint: 'write PORT or FIRST-LAST, with /tcp, /udp or /sctp where needed',
  });
}

function runNetwork(own: NetworkMode | undefined, requested: NetworkMode): NetworkMode {
  return own === undefined || own === 'default' ? requested : own;
}

function union(existing: readonly string[], added: readonly string[]): readonly string[] {
  return [...new Set([...existing, ...added])];
}
