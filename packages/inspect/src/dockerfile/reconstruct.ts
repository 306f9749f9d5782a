import type { ImageConfig } from '@boxwright/oci';
import {
  type CopyInstruction,
  type HistoryInstruction,
  type NameValue,
  type ReadRow,
  readHistory,
} from '../instructions/index.ts';
import { pairLayers } from '../page/pair-layers.ts';
import { completeInstructions } from './complete-instructions.ts';
import { type BaseHints, findBase } from './find-base.ts';
import type { DockerfileStep, Loss, ReconstructedDockerfile } from './model.ts';
import { healthcheckOf, SettingsReplay } from './settings-replay.ts';
import { unexplainedSteps } from './unexplained.ts';
import { copyStep, type LostNames, writeCopy } from './write-copy.ts';
import { type WrittenInstruction, writeCommand, writeRun } from './write-run.ts';
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
 * Reads a Dockerfile out of an image: the base by its layers, each instruction from its history row, and what rows leave
 * open from the config. What cannot be known is said at each step. The text of each instruction reads back, by the rules
 * of the Dockerfile, as what the row says: built on the same base it gives the same rows and settings.
 * Nothing in the image makes it fail; linear in the length of the history.
 */
export function reconstructDockerfile(
  config: ImageConfig,
  hints: BaseHints = { candidates: [] },
): ReconstructedDockerfile {
  const dockerVersion = config.json.get('docker_version');
  const rows = readHistory(config.history, {
    config: config.config,
    ...(typeof dockerVersion === 'string' && dockerVersion !== '' ? { dockerVersion } : {}),
  });
  const base = findBase(config, rows, hints);
  const writer = new StepWriter(config, new SettingsReplay(base.settings));
  const instructions = completeInstructions(
    rows.map(({ instruction }) => instruction),
    config.config,
  );
  const { layerOfEntry, layersWithoutRow } = pairLayers(config.history, config.rootfs.diffIds.length);
  const triggers = base.kind === 'known' ? base.settings.OnBuild.length : 0;
  const steps: DockerfileStep[] = [];
  for (let row = base.rows; row < rows.length; row++) {
    const layer = layerOfEntry[row];
    const place = { row, ...(layer === undefined ? {} : { layer }) };
    const read = rows[row];
    if (read === undefined) continue;
    if (row < base.rows + triggers) steps.push(writer.trigger(instructions[row], read, place));
    else steps.push(...writer.steps(instructions[row], read, place));
  }
  for (const layer of layersWithoutRow) {
    if (layer >= base.layers) steps.push({ text: '', layer, losses: [{ kind: 'layer' }] });
  }
  steps.push(...unexplainedSteps(writer.replay, config.config));
  return { base, steps, buildLabels: buildLabels(writer.replay, config) };
}

/** Where a step stands in the image. */
type Place = Pick<DockerfileStep, 'row' | 'layer'>;

/** Writes one row after the other, and follows what they set. */
class StepWriter {
  readonly replay: SettingsReplay;
  readonly #declared = new Map<string, string | undefined>();
  readonly #platform: ReadonlyMap<string, string>;
  readonly #names: LostNames;

  constructor(config: ImageConfig, replay: SettingsReplay) {
    this.replay = replay;
    this.#platform = targetArguments(config);
    let lost = 0;
    this.#names = { next: () => `lost-${++lost}` };
  }

  trigger(instruction: HistoryInstruction | undefined, { text }: ReadRow, place: Place): DockerfileStep {
    if (instruction !== undefined) this.replay.apply(instruction);
    return { text: '', ...place, losses: [{ kind: 'trigger', detail: text }] };
  }

  /** The step of a row; build arguments that only it knows of are declared before it. */
  steps(instruction: HistoryInstruction | undefined, { text }: ReadRow, place: Place): DockerfileStep[] {
    if (instruction === undefined) return [{ text: '', ...place, losses: [{ kind: 'row', detail: text }] }];
    if (isCopy(instruction)) {
      const { step: copy, losses } = copyStep(instruction, this.replay.workingDir(), this.#names);
      return [{ ...writeCopy(copy, losses), kind: copy.kind, ...place, copy }];
    }
    const before = instruction.kind === 'RUN' ? this.#undeclared(instruction.buildArguments) : [];
    const written = this.#write(instruction, text);
    this.#remember(instruction);
    return [...before, { ...written, kind: instruction.kind, ...place }];
  }

  #write(instruction: Exclude<HistoryInstruction, CopyInstruction>, row: string): WrittenInstruction {
    switch (instruction.kind) {
      case 'RUN':
        return writeRun(instruction, this.replay.shell());
      case 'CMD':
      case 'ENTRYPOINT':
        return writeCommand(instruction.kind, instruction.words, this.replay.shell());
      case 'ENV':
      case 'LABEL':
        return orLost(pairsText(instruction.kind, instruction.pairs), row);
      case 'ARG':
        return orLost(
          pairsText(
            'ARG',
            instruction.pairs.map((pair) => this.#argument(pair)),
          ),
          row,
        );
      case 'EXPOSE':
        return orLost(exposeText(instruction.words), row);
      case 'VOLUME':
        return orLost(volumeText(instruction.words), row, instruction.exact ? [] : [{ kind: 'words', detail: row }]);
      case 'SHELL':
        return orLost(shellText(instruction.words), row, instruction.exact ? [] : [{ kind: 'words', detail: row }]);
      case 'HEALTHCHECK': {
        const check = healthcheckOf(instruction);
        return orLost(check === undefined ? undefined : healthcheckText(check), row);
      }
      case 'WORKDIR':
      case 'USER':
      case 'STOPSIGNAL':
      case 'MAINTAINER':
        return orLost(valueText(instruction.kind, instruction.value), row);
      case 'ONBUILD':
        return orLost(onBuildText(instruction.value), row);
      case 'FROM':
        return orLost(undefined, row);
      default:
        return instruction satisfies never;
    }
  }

  #remember(instruction: HistoryInstruction): void {
    this.replay.apply(instruction);
    if (instruction.kind !== 'ARG') return;
    for (const { name, value } of instruction.pairs) this.#declared.set(name, value);
  }

  /** A builder gives the platform's arguments their values by itself. */
  #argument(pair: NameValue): NameValue {
    return pair.value !== undefined && this.#platform.get(pair.name) === pair.value ? { name: pair.name } : pair;
  }

  /** Rows of ARG may have gone with the history of a stage. */
  #undeclared(given: readonly NameValue[]): DockerfileStep[] {
    const missing = given.filter(({ name }) => !this.#declared.has(name));
    if (missing.length === 0) return [];
    for (const { name, value } of missing) this.#declared.set(name, value);
    const text =
      pairsText(
        'ARG',
        missing.map((pair) => this.#argument(pair)),
      ) ?? '';
    return [
      { text, kind: 'ARG', losses: [{ kind: 'unexplained', detail: missing.map(({ name }) => name).join(' ') }] },
    ];
  }
}

function isCopy(instruction: HistoryInstruction): instruction is CopyInstruction {
  return instruction.kind === 'COPY' || instruction.kind === 'ADD';
}

function orLost(text: string | undefined, row: string, losses: readonly Loss[] = []): WrittenInstruction {
  return text === undefined ? { text: '', losses: [{ kind: 'row', detail: row }] } : { text, losses };
}

/** TARGETPLATFORM and its parts, as a build for the image's platform has them. */
function targetArguments({ os, architecture, variant = '' }: ImageConfig): ReadonlyMap<string, string> {
  const platform = [os, architecture, ...(variant === '' ? [] : [variant])].join('/');
  return new Map([
    ['TARGETPLATFORM', platform],
    ['TARGETOS', os],
    ['TARGETARCH', architecture],
    ['TARGETVARIANT', variant],
  ]);
}

/** Labels of the config that neither the base nor a row gives. */
function buildLabels(replay: SettingsReplay, { config }: ImageConfig): NameValue[] {
  const explained = replay.settings().Labels;
  return [...config.Labels]
    .filter(([name, value]) => explained.get(name) !== value)
    .map(([name, value]) => ({ name, value }));
}
