import type { ImageConfig } from '@boxwright/oci';
import type { HistoryInstruction, NameValue } from '../instructions/instruction.ts';
import { readHistory } from '../instructions/read-history.ts';
import { findSecrets, namedSecret } from './find-secrets.ts';
import { Redactor } from './redactor.ts';
import type { SecretFinding } from './secret-finding.ts';
import type { SecretKind } from './secret-kind.ts';

/** What an image's config gives away, and what takes it out of texts. */
export interface ImageSecrets {
  /** The history first (oldest first), then environment, labels and commands; each name once in a place. */
  readonly findings: readonly SecretFinding[];
  readonly redactor: Redactor;
}

/**
 * Looks for tokens, passwords and keys in an image's history, environment, labels, build arguments and commands.
 * Recognised by the form that issuers give them, or by a name that says so, unless the value is plainly none
 * (a switch, a path, a variable, a placeholder).
 */
export function imageSecrets(config: ImageConfig): ImageSecrets {
  const redactor = new Redactor();
  const rows = readHistory(config.history, { config: config.config });
  const pairs = [
    ...config.config.Env.map(nameValue),
    ...Array.from(config.config.Labels, ([name, value]) => ({ name, value })),
    ...rows.flatMap(({ instruction }) => (instruction === undefined ? [] : pairsOf(instruction))),
  ];
  const kinds = new Map<NameValue, SecretKind>();
  for (const pair of pairs) {
    const kind = namedSecret(pair.name, pair.value ?? '');
    if (kind === undefined) continue;
    kinds.set(pair, kind);
    redactor.addPair(pair);
  }
  const findings = [
    ...rows.flatMap(({ instruction }, entry) =>
      historySecrets(entry, config.history[entry]?.createdBy ?? '', instruction, redactor),
    ),
    ...config.config.Env.flatMap((variable) => pairSecrets('environment', nameValue(variable))),
    ...Array.from(config.config.Labels, ([name, value]) => pairSecrets('label', { name, value })).flat(),
    ...commandSecrets(config, redactor),
  ];
  return { findings, redactor };
}

function historySecrets(
  entry: number,
  createdBy: string,
  instruction: HistoryInstruction | undefined,
  redactor: Redactor,
): SecretFinding[] {
  const findings: SecretFinding[] = [];
  const pairs = instruction === undefined ? [] : pairsOf(instruction);
  for (const { name, value = '' } of pairs) {
    const kind = namedSecret(name, value);
    if (kind !== undefined) findings.push({ kind, place: 'history', entry, name });
  }
  // What has a name is found; the rest of the row may have more.
  for (const { kind, start, end } of findSecrets(redactor.known(createdBy))) {
    redactor.addValue(createdBy.slice(start, end));
    if (!findings.some((finding) => finding.kind === kind)) findings.push({ kind, place: 'history', entry });
  }
  return findings;
}

function pairSecrets(place: 'environment' | 'label', { name, value = '' }: NameValue): SecretFinding[] {
  const kind = namedSecret(name, value) ?? findSecrets(value)[0]?.kind;
  return kind === undefined ? [] : [{ kind, place, name }];
}

/** Commands have no names for what they hold; words are looked at together, as a flag and its value are two. */
function commandSecrets({ config }: ImageConfig, redactor: Redactor): SecretFinding[] {
  const commands: readonly (readonly [string, readonly string[]])[] = [
    ['Entrypoint', config.Entrypoint],
    ['Cmd', config.Cmd],
    ['Healthcheck', config.Healthcheck?.Test ?? []],
    ['OnBuild', config.OnBuild],
  ];
  return commands.flatMap(([name, words]): SecretFinding[] => {
    const redacted = redactor.words(words);
    const index = words.findIndex((word, position) => word !== redacted[position]);
    if (index < 0) return [];
    const kind = findSecrets(words.join(' '))[0]?.kind ?? 'secret';
    return [{ kind, place: 'command', name }];
  });
}

function pairsOf(instruction: HistoryInstruction): readonly NameValue[] {
  if (instruction.kind === 'RUN') return instruction.buildArguments;
  return 'pairs' in instruction ? instruction.pairs : [];
}

function nameValue(variable: string): NameValue {
  const equals = variable.indexOf('=');
  return equals < 0 ? { name: variable } : { name: variable.slice(0, equals), value: variable.slice(equals + 1) };
}
