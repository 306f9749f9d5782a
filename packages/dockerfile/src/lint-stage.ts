import type { Instruction, LintWarning, Stage } from './instructions.ts';

/** What a stage hands on to the stages built on it, as far as rules care. */
export interface Inherited {
  /** SHELL was given. */
  readonly shell: boolean;
  /** WORKDIR was given. */
  readonly workdir: boolean;
}

/** A stage on a base that is no stage, or one that is not known. */
export const nothingInherited: Inherited = { shell: false, workdir: false };

/** The rules that BuildKit applies while it goes through a stage: each warning carries the stage's index. */
export function lintStage(
  stage: Stage,
  inherited: Inherited,
): { readonly warnings: readonly LintWarning[]; readonly handsOn: Inherited } {
  let { shell, workdir } = inherited;
  const warnings: LintWarning[] = [];
  const last = new Map<string, Instruction>();
  for (const instruction of stage.instructions) {
    const warn = (rule: string, message: string, at: Instruction = instruction): number =>
      warnings.push({ rule, message, range: at.range, stage: stage.index });
    switch (instruction.kind) {
      case 'shell':
        shell = true;
        break;
      case 'cmd':
      case 'entrypoint':
      case 'healthcheck': {
        const { name } = instruction;
        const before = last.get(name);
        if (before) warn('MultipleInstructionsDisallowed', `Only the last ${name} of a stage counts`, before);
        last.set(name, instruction);
        if (instruction.kind !== 'healthcheck' && instruction.form === 'shell' && !shell) {
          warn('JSONArgsRecommended', `${name} without a JSON array runs under a shell, which keeps signals to itself`);
        }
        break;
      }
      case 'workdir':
        if (!workdir && /^["']?[^/"'$]/.test(instruction.path)) {
          warn('WorkdirRelativePath', `WORKDIR "${instruction.path}" depends on the base image's working directory`);
        }
        workdir = true;
        break;
      case 'env':
      case 'label':
        if (instruction.legacy) {
          warn(
            'LegacyKeyValueFormat',
            `Write ${instruction.name} NAME=VALUE instead of ${instruction.name} NAME VALUE`,
          );
        }
        if (instruction.kind === 'env') for (const { key } of instruction.pairs) lintSecret(key, instruction, warn);
        break;
      case 'arg':
        for (const { key } of instruction.args) lintSecret(key, instruction, warn);
        break;
      case 'expose':
        for (const port of instruction.ports) lintPort(port, warn);
        break;
      case 'add':
      case 'copy':
      case 'maintainer':
      case 'onbuild':
      case 'run':
      case 'stopsignal':
      case 'user':
      case 'volume':
        break;
      default:
        throw new TypeError('unknown kind of instruction', { cause: instruction satisfies never });
    }
  }
  return { warnings, handsOn: { shell, workdir } };
}

type Warn = (rule: string, message: string) => number;

function lintSecret(key: string, instruction: Instruction, warn: Warn): void {
  if (!looksSecret(key)) return;
  warn('SecretsUsedInArgOrEnv', `${instruction.name} ${key} looks like a secret: it stays readable in the image`);
}

/** True for names of variables that usually hold a secret: GITHUB_TOKEN, password, API_KEY; not PUBLIC_KEY. */
export function looksSecret(name: string): boolean {
  return (
    /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i.test(name) &&
    !/(?:_|^)(?:public|file|version)(?:_|$)/i.test(name)
  );
}

function lintPort(port: string, warn: Warn): void {
  if (port.includes('$')) return;
  if (port.includes(':')) warn('ExposeInvalidFormat', `EXPOSE takes no address and no host port: ${port}`);
  const protocol = port.split('/')[1] ?? '';
  if (protocol !== protocol.toLowerCase()) warn('ExposeProtoCasing', `The protocol of ${port} is not lower case`);
}
