import { parseDuration } from '@boxwright/dockerfile';
import { type ContainerConfig, emptyContainerConfig, type Healthcheck } from '@boxwright/oci';
import type { HealthcheckInstruction, HistoryInstruction } from '../instructions/index.ts';

/** The PATH that BuildKit gives what starts from something without one (`system.DefaultPathEnv`). */
export const defaultPath: string = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What FROM scratch starts with; Docker's classic builder sets no PATH, so it is taken only where the image has it. */
export function scratchSettings(config: ContainerConfig): ContainerConfig {
  return { ...emptyContainerConfig, Env: config.Env.includes(defaultPath) ? [defaultPath] : [], WorkingDir: '/' };
}

/** Settings of an image while its instructions are followed (Dockerfile reference): what they end with, its config has. */
export class SettingsReplay {
  readonly #start: ContainerConfig;
  readonly #variables = new Map<string, string>();
  readonly #labels: Map<string, string>;
  readonly #ports: Set<string>;
  readonly #volumes: Set<string>;
  readonly #onBuild: string[] = [];
  #changed: Partial<ContainerConfig> = {};
  #isCmdOwn = false;

  constructor(start: ContainerConfig) {
    this.#start = start;
    for (const variable of start.Env) this.#setVariable(variable);
    this.#labels = new Map(start.Labels);
    this.#ports = new Set(start.ExposedPorts);
    this.#volumes = new Set(start.Volumes);
  }

  /** The settings so far; triggers of the base are gone, as a build on it uses them up. */
  settings(): ContainerConfig {
    return {
      ...this.#start,
      ...this.#changed,
      Env: [...this.#variables].map(([name, value]) => `${name}=${value}`),
      Labels: this.#labels,
      ExposedPorts: [...this.#ports],
      Volumes: [...this.#volumes],
      OnBuild: this.#onBuild,
    };
  }

  /** What RUN, CMD and ENTRYPOINT in shell form are given to. */
  shell(): readonly string[] {
    const shell = this.#changed.Shell ?? this.#start.Shell;
    return shell.length === 0 ? ['/bin/sh', '-c'] : shell;
  }

  workingDir(): string {
    return this.#changed.WorkingDir ?? this.#start.WorkingDir;
  }

  apply(instruction: HistoryInstruction): void {
    switch (instruction.kind) {
      case 'ENV':
        for (const { name, value } of instruction.pairs) this.#variables.set(name, value ?? '');
        return;
      case 'LABEL':
        for (const { name, value } of instruction.pairs) this.#labels.set(name, value ?? '');
        return;
      case 'EXPOSE':
        for (const port of instruction.words) this.#ports.add(port.includes('/') ? port : `${port}/tcp`);
        return;
      case 'VOLUME':
        for (const path of instruction.words) this.#volumes.add(path);
        return;
      case 'CMD':
        this.#isCmdOwn = true;
        return this.#change({ Cmd: instruction.words });
      case 'ENTRYPOINT':
        // An inherited CMD was meant for the inherited ENTRYPOINT.
        return this.#change({ Entrypoint: instruction.words, ...(this.#isCmdOwn ? {} : { Cmd: [] }) });
      case 'SHELL':
        return this.#change({ Shell: instruction.words });
      case 'WORKDIR':
        return this.#change({ WorkingDir: instruction.value });
      case 'USER':
        return this.#change({ User: instruction.value });
      case 'STOPSIGNAL':
        return this.#change({ StopSignal: instruction.value });
      case 'ONBUILD':
        this.#onBuild.push(instruction.value);
        return;
      case 'HEALTHCHECK': {
        const healthcheck = healthcheckOf(instruction);
        return healthcheck === undefined ? undefined : this.#change({ Healthcheck: healthcheck });
      }
      case 'RUN':
      case 'COPY':
      case 'ADD':
      case 'ARG':
      case 'MAINTAINER':
      case 'FROM':
        return;
      default:
        return instruction satisfies never;
    }
  }

  #change(changes: Partial<ContainerConfig>): void {
    this.#changed = { ...this.#changed, ...changes };
  }

  #setVariable(variable: string): void {
    const { name, value } = splitVariable(variable);
    this.#variables.set(name, value);
  }
}

/** `NAME=value` of a config's Env. */
export function splitVariable(variable: string): { readonly name: string; readonly value: string } {
  const equals = variable.indexOf('=');
  return equals < 0
    ? { name: variable, value: '' }
    : { name: variable.slice(0, equals), value: variable.slice(equals + 1) };
}

/** The health check that a row tells; undefined when the row could not be taken apart. */
export function healthcheckOf(instruction: HealthcheckInstruction): Healthcheck | undefined {
  if (instruction.test === undefined) return instruction.value.trim() === 'NONE' ? none : undefined;
  return {
    Test: instruction.test,
    Interval: nanoseconds(instruction.interval),
    Timeout: nanoseconds(instruction.timeout),
    StartPeriod: nanoseconds(instruction.startPeriod),
    StartInterval: nanoseconds(instruction.startInterval),
    Retries: instruction.retries ?? 0,
  };
}

const none: Healthcheck = { Test: ['NONE'], Interval: 0, Timeout: 0, StartPeriod: 0, StartInterval: 0, Retries: 0 };

function nanoseconds(duration: string | undefined): number {
  return (duration === undefined ? undefined : parseDuration(duration)) ?? 0;
}
