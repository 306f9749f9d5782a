import { parseCopy } from './copy-text.ts';
import { parseGoQuotedList, parseGoRune, parseJsonList } from './go-text.ts';
import type {
  HealthcheckInstruction,
  HistoryInstruction,
  InstructionKind,
  PairsInstruction,
  WordsInstruction,
} from './instruction.ts';
import { splitArguments, splitPairs, splitQuotedPairs } from './key-values.ts';
import { parseRun, type RunScope } from './run-text.ts';

/** What is known around a row when its instruction is read. */
export interface InstructionScope extends RunScope {
  /** True for rows that keep the Dockerfile's own text (buildah, kaniko), with its quotes and shell forms. */
  readonly sourceText: boolean;
  /** The config's variables and labels: they tell where unquoted values end. */
  readonly configVariables: ReadonlyMap<string, string>;
  readonly configLabels: ReadonlyMap<string, string>;
}

/** Reads what stands after the keyword of a row. */
export function parseInstruction(kind: InstructionKind, text: string, scope: InstructionScope): HistoryInstruction {
  switch (kind) {
    case 'RUN':
      return parseRun(text, scope);
    case 'COPY':
    case 'ADD':
      return parseCopy(kind, text);
    case 'ENV':
    case 'LABEL':
    case 'ARG':
      return parsePairs(kind, text, scope);
    case 'CMD':
    case 'ENTRYPOINT':
    case 'SHELL':
    case 'EXPOSE':
    case 'VOLUME':
      return parseWords(kind, text, scope);
    case 'HEALTHCHECK':
      return parseHealthcheck(text);
    case 'WORKDIR':
    case 'USER':
    case 'STOPSIGNAL':
    case 'ONBUILD':
    case 'MAINTAINER':
    case 'FROM':
    default:
      return { kind, value: text };
  }
}

function parsePairs(kind: PairsInstruction['kind'], text: string, scope: InstructionScope): PairsInstruction {
  if (kind === 'ARG') return { kind, pairs: splitArguments(text) };
  if (scope.sourceText) return { kind, pairs: splitQuotedPairs(text) };
  return { kind, pairs: splitPairs(text, kind === 'ENV' ? scope.configVariables : scope.configLabels) };
}

function parseWords(kind: WordsInstruction['kind'], text: string, scope: InstructionScope): WordsInstruction {
  const quoted = parseGoQuotedList(text);
  if (quoted !== undefined && quoted.end === text.length) return { kind, words: quoted.words, exact: true };
  const json = parseJsonList(text);
  if (json !== undefined) return { kind, words: json, exact: true };
  if (kind === 'EXPOSE') return { kind, words: ports(text), exact: true };
  if (kind === 'VOLUME' || kind === 'SHELL') return goPlainList(kind, text);
  // The shell form of the Dockerfile, which Docker and BuildKit turn into the exec form before they record it.
  return { kind, words: scope.sourceText ? [...scope.shell.split(' '), text] : [text], exact: scope.sourceText };
}

/** `[80/tcp 443/tcp]`; of older BuildKits `map[80/tcp:{}]`; of others `80 443/tcp`. */
function ports(text: string): readonly string[] {
  const inner =
    /^map\[([\s\S]*)\]$/.exec(text)?.[1]?.replaceAll(':{}', '') ?? /^\[([\s\S]*)\]$/.exec(text)?.[1] ?? text;
  return inner.split(/\s+/).filter((port) => port !== '');
}

/** A string slice as Go's `%v` prints it, where blanks inside of words look like those between them. */
function goPlainList(kind: WordsInstruction['kind'], text: string): WordsInstruction {
  const inner = /^\[([\s\S]*)\]$/.exec(text)?.[1] ?? text;
  const words = inner.split(' ').filter((word) => word !== '');
  return { kind, words, exact: words.length < 2 };
}

/** Go's `%q` of the health check: `&{["CMD" "true"] "30s" "3s" "0s" "0s" '\x03'}`; Docker before 25 has one duration less. */
function parseHealthcheck(text: string): HealthcheckInstruction {
  const raw = { kind: 'HEALTHCHECK', value: text } as const;
  const test = text.startsWith('&{') ? parseGoQuotedList(text, 2) : undefined;
  if (test === undefined) return raw;
  const match = /^ "([^"]*)" "([^"]*)" "([^"]*)"(?: "([^"]*)")? ('[\s\S]{1,12}')\}$/.exec(text.slice(test.end));
  if (match === null) return { ...raw, test: test.words };
  const [, interval = '', timeout = '', startPeriod = '', startInterval, rune = ''] = match;
  const retries = parseGoRune(rune);
  return {
    ...raw,
    test: test.words,
    interval,
    timeout,
    startPeriod,
    ...(startInterval === undefined ? {} : { startInterval }),
    ...(retries === undefined ? {} : { retries }),
  };
}
