import type { ContainerConfig, Healthcheck } from '@boxwright/oci';
import type { HistoryInstruction, InstructionKind } from '../instructions/index.ts';
import type { DockerfileStep } from './model.ts';
import { sameWords } from './read-back.ts';
import { defaultPath, type SettingsReplay, splitVariable } from './settings-replay.ts';
import { writeCommand } from './write-run.ts';
import {
  exposeText,
  healthcheckText,
  onBuildText,
  pairsText,
  shellText,
  valueText,
  volumeText,
} from './write-settings.ts';

/**
 * Instructions for settings that the image has and no row gives: triggers (BuildKit writes no row for ONBUILD), and what
 * tools set that write no history. Labels are not among them: builders are given those beside the Dockerfile.
 */
export function unexplainedSteps(replay: SettingsReplay, config: ContainerConfig): DockerfileStep[] {
  const steps: DockerfileStep[] = [];
  const add = (text: string | undefined, instruction: HistoryInstruction | undefined, kind: InstructionKind): void => {
    if (text === undefined) return;
    if (instruction !== undefined) replay.apply(instruction);
    steps.push({ text, kind, losses: [{ kind: 'unexplained', detail: kind }] });
  };
  const before = replay.settings();
  for (const pair of newVariables(before, config)) {
    add(pairsText('ENV', [pair]), { kind: 'ENV', pairs: [pair] }, 'ENV');
  }
  const ports = config.ExposedPorts.filter((port) => !before.ExposedPorts.includes(port));
  if (ports.length > 0) add(exposeText(ports), { kind: 'EXPOSE', words: ports, exact: true }, 'EXPOSE');
  const volumes = config.Volumes.filter((path) => !before.Volumes.includes(path));
  if (volumes.length > 0) add(volumeText(volumes), { kind: 'VOLUME', words: volumes, exact: true }, 'VOLUME');
  for (const [kind, value, had] of [
    ['WORKDIR', config.WorkingDir || '/', before.WorkingDir || '/'],
    ['USER', config.User, before.User],
    ['STOPSIGNAL', config.StopSignal, before.StopSignal],
  ] as const) {
    if (value !== had && value !== '') add(valueText(kind, value), { kind, value }, kind);
  }
  if (config.Shell.length > 0 && !sameWords(config.Shell, before.Shell)) {
    add(shellText(config.Shell), { kind: 'SHELL', words: config.Shell, exact: true }, 'SHELL');
  }
  for (const kind of ['ENTRYPOINT', 'CMD'] as const) {
    // ENTRYPOINT drops an inherited CMD, so this is looked at anew.
    const now = replay.settings();
    const [words, had] = kind === 'CMD' ? [config.Cmd, now.Cmd] : [config.Entrypoint, now.Entrypoint];
    if (!sameWords(words, had)) {
      add(writeCommand(kind, words, replay.shell()).text || undefined, { kind, words, exact: true }, kind);
    }
  }
  const { Healthcheck: check } = config;
  if (check !== undefined && !sameCheck(check, before.Healthcheck))
    add(healthcheckText(check), undefined, 'HEALTHCHECK');
  for (const trigger of config.OnBuild.slice(sharedTriggers(before.OnBuild, config.OnBuild))) {
    const text = onBuildText(trigger);
    if (text === undefined) continue;
    replay.apply({ kind: 'ONBUILD', value: trigger });
    steps.push({ text, kind: 'ONBUILD', losses: [] });
  }
  return steps;
}

function newVariables(before: ContainerConfig, config: ContainerConfig): { name: string; value: string }[] {
  const known = new Set(before.Env);
  const hasPath = before.Env.some((variable) => variable.startsWith('PATH='));
  // A base without PATH is given one by the builder.
  return config.Env.filter((variable) => !known.has(variable) && (hasPath || variable !== defaultPath)).map(
    splitVariable,
  );
}

function sameCheck(left: Healthcheck, right: Healthcheck | undefined): boolean {
  return (
    right !== undefined &&
    sameWords(left.Test, right.Test) &&
    left.Interval === right.Interval &&
    left.Timeout === right.Timeout &&
    left.StartPeriod === right.StartPeriod &&
    left.StartInterval === right.StartInterval &&
    left.Retries === right.Retries
  );
}

/** The classic builder writes rows for ONBUILD: those triggers are there already. */
function sharedTriggers(written: readonly string[], triggers: readonly string[]): number {
  let shared = 0;
  while (shared < written.length && written[shared] === triggers[shared]) shared++;
  return shared;
}
