import type { ContainerConfig } from '@boxwright/oci';
import { collapseBlanks, type HistoryInstruction, type NameValue } from '../instructions/index.ts';
import { splitVariable } from './settings-replay.ts';

/**
 * What rows leave open and the config tells: blanks at the end of values and their runs, words of the last CMD and
 * ENTRYPOINT, paths of VOLUME, the last HEALTHCHECK. Only what a later row does not set again can be seen in a config.
 */
export function completeInstructions(
  instructions: readonly (HistoryInstruction | undefined)[],
  config: ContainerConfig,
): (HistoryInstruction | undefined)[] {
  const variables = new Map(
    config.Env.map((variable) => [splitVariable(variable).name, splitVariable(variable).value]),
  );
  const completed: (HistoryInstruction | undefined)[] = [...instructions];
  const seen = new Set<string>();
  let given: ReadonlyMap<string, string> = new Map();
  // Newest first: the first one met of each is the one that counts.
  for (let index = completed.length - 1; index >= 0; index--) {
    const instruction = completed[index];
    if (instruction === undefined) continue;
    if (instruction.kind === 'RUN') {
      given = new Map(instruction.buildArguments.map(({ name, value = '' }) => [name, value]));
    }
    completed[index] =
      instruction.kind === 'ARG'
        ? { ...instruction, pairs: instruction.pairs.flatMap((pair) => splitDeclaration(pair, given)) }
        : complete(instruction, config, variables, seen);
  }
  return completed;
}

/** `ARG D=1 E` may be one name or two: the arguments that the next RUN was given tell. */
function splitDeclaration(pair: NameValue, given: ReadonlyMap<string, string>): NameValue[] {
  const words = pair.value?.split(' ') ?? [];
  let end = words.length;
  while (end > 1 && given.has(words[end - 1] ?? '')) end--;
  const value = words.slice(0, end).join(' ');
  if (end === words.length || given.get(pair.name) !== value) return [pair];
  return [{ name: pair.name, value }, ...words.slice(end).map((name) => ({ name }))];
}

function complete(
  instruction: HistoryInstruction,
  config: ContainerConfig,
  variables: ReadonlyMap<string, string>,
  seen: Set<string>,
): HistoryInstruction {
  const isFirst = (what: string): boolean => {
    if (seen.has(what)) return false;
    seen.add(what);
    return true;
  };
  switch (instruction.kind) {
    case 'ENV':
    case 'LABEL': {
      const known = instruction.kind === 'ENV' ? variables : config.Labels;
      const pairs = instruction.pairs
        .toReversed()
        .map((pair) => (isFirst(`${instruction.kind} ${pair.name}`) ? withBlanks(pair, known) : pair));
      return { ...instruction, pairs: pairs.reverse() };
    }
    case 'CMD':
    case 'ENTRYPOINT': {
      if (!isFirst(instruction.kind) || instruction.exact) return instruction;
      const words = instruction.kind === 'CMD' ? config.Cmd : config.Entrypoint;
      return words.length === 0 ? instruction : { ...instruction, words, exact: true };
    }
    case 'VOLUME':
      return instruction.exact ? instruction : { ...instruction, ...knownPaths(instruction.words, config.Volumes) };
    case 'HEALTHCHECK': {
      const { Healthcheck: check } = config;
      if (!isFirst('HEALTHCHECK') || instruction.test !== undefined || check === undefined) return instruction;
      return {
        ...instruction,
        test: check.Test,
        interval: `${check.Interval}ns`,
        timeout: `${check.Timeout}ns`,
        startPeriod: `${check.StartPeriod}ns`,
        startInterval: `${check.StartInterval}ns`,
        retries: check.Retries,
      };
    }
    case 'RUN':
    case 'COPY':
    case 'ADD':
    case 'ARG':
    case 'EXPOSE':
    case 'SHELL':
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
    case 'ONBUILD':
    case 'MAINTAINER':
    case 'FROM':
    default:
      return instruction;
  }
}

/** The config's value, where the row has the same one but for its blanks. */
function withBlanks(pair: NameValue, known: ReadonlyMap<string, string>): NameValue {
  const value = known.get(pair.name);
  if (value === undefined || value === pair.value) return pair;
  return collapseBlanks(value) === collapseBlanks(pair.value ?? '') ? { name: pair.name, value } : pair;
}

/** Joins words again to the longest path that the config knows, up to 16 words of it. */
function knownPaths(words: readonly string[], volumes: readonly string[]): { words: string[]; exact: boolean } {
  const known = new Set(volumes);
  const paths: string[] = [];
  let exact = true;
  for (let start = 0; start < words.length; ) {
    let end = Math.min(words.length, start + 16);
    while (end > start + 1 && !known.has(words.slice(start, end).join(' '))) end--;
    const path = words.slice(start, end).join(' ');
    if (!known.has(path)) exact = false;
    paths.push(path);
    start = end;
  }
  return { words: paths, exact };
}
