import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { detectSandbox, type SandboxReport } from '@boxwright/build';
import { escapeForTerminal, safeJson } from '@boxwright/errors';
import { formatSizeShort } from '@boxwright/inspect';
import { formatPlatform, hostPlatform } from '@boxwright/oci';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { type CommonFlags, formatOption, newCommand } from '../commander.ts';
import { storeRoot } from '../store-root.ts';

interface DoctorFlags extends CommonFlags {
  readonly format: 'table' | 'json';
}

/** One line of the report. */
interface Finding {
  /** `missing` keeps something essential from working, `note` something that not everybody needs. */
  readonly state: 'ok' | 'note' | 'missing';
  readonly topic: string;
  readonly message: string;
  readonly hint?: string;
}

const examples = ['boxwright doctor', 'boxwright doctor --format json'];

/** `boxwright doctor`. */
export function doctorCommand(context: CommandContext): Command {
  return newCommand(
    'doctor',
    'Tells what works on this machine and what is missing. Exits with 1 when RUN or the store does not work.',
    context,
    examples,
  )
    .addOption(formatOption())
    .action((flags: DoctorFlags) => doctor(flags, context));
}

async function doctor(flags: DoctorFlags, context: CommandContext): Promise<void> {
  const root = storeRoot(flags.store, context);
  const place = existingParent(root);
  const store = storeFinding(root, place);
  const sandbox = await detectSandbox(store.state === 'missing' ? undefined : place);
  const findings = [programFinding(), store, ...sandboxFindings(sandbox), ...helperFindings(context.env)];
  if (flags.format === 'json') context.stdout.write(`${safeJson({ findings, sandbox }, 2)}\n`);
  else context.stdout.write(findings.map((finding) => render(finding)).join(''));
  if (findings.some((finding) => finding.state === 'missing')) context.setExitCode(1);
}

function programFinding(): Finding {
  const message = `Node.js ${process.versions.node}, images for ${formatPlatform(hostPlatform())}`;
  return { state: 'ok', topic: 'program', message };
}

function storeFinding(root: string, place: string): Finding {
  try {
    accessSync(place, constants.W_OK);
    const { bavail, bsize } = statfsSync(place);
    const state = existsSync(root) ? '' : ' (not made yet)';
    return { state: 'ok', topic: 'store', message: `${root}${state}, ${formatSizeShort(bavail * bsize)} free` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      state: 'missing',
      topic: 'store',
      message: `${root} cannot be written: ${reason}`,
      hint: 'Choose another directory with --store or BOXWRIGHT_HOME.',
    };
  }
}

function sandboxFindings(report: SandboxReport): readonly Finding[] {
  const tiers = report.tiers.map((tier): Finding => {
    const version = tier.version === undefined ? '' : ` ${tier.version}`;
    const time = tier.milliseconds === undefined ? '' : `, starts in ${Math.round(tier.milliseconds)} ms`;
    const failure = tier.works ? `works${time}` : `does not work: ${tier.reason ?? 'unknown reason'}`;
    return {
      state: tier.works && tier.advisory === undefined ? 'ok' : 'note',
      topic: 'sandbox',
      message: `${tier.name}${version} ${failure}`,
      ...(tier.advisory === undefined ? {} : { hint: tier.advisory }),
    };
  });
  const privilege =
    report.privilege === 'none' ? '' : ` as ${report.privilege === 'root' ? 'root' : 'root of a user namespace'}`;
  const summary: Finding = report.works
    ? { state: 'ok', topic: 'RUN', message: `works${privilege}` }
    : { state: 'missing', topic: 'RUN', message: 'does not work; Dockerfiles without RUN can be built all the same' };
  const problems = report.problems.map(
    ({ message, hint }): Finding => ({ state: 'note', topic: 'RUN', message, ...(hint === undefined ? {} : { hint }) }),
  );
  return [summary, ...tiers, ...problems];
}

/** Programs that only some archives need. */
function helperFindings(env: CommandContext['env']): readonly Finding[] {
  const directories = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  return ['xz', 'bzip2'].map((program): Finding => {
    const path = directories.map((directory) => join(directory, program)).find((candidate) => existsSync(candidate));
    return path === undefined
      ? {
          state: 'note',
          topic: 'archives',
          message: `${program} is not installed: archives compressed with it cannot be read`,
        }
      : { state: 'ok', topic: 'archives', message: `${program} found at ${path}` };
  });
}

/** The nearest directory that is there already: making one is left to the first build. */
function existingParent(path: string): string {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}

function render({ state, topic, message, hint }: Finding): string {
  const mark = { ok: 'ok     ', note: 'note   ', missing: 'MISSING' }[state];
  const line = `${mark} ${topic.padEnd(9)} ${escapeForTerminal(message)}\n`;
  return hint === undefined ? line : `${line}${' '.repeat(18)}hint: ${escapeForTerminal(hint)}\n`;
}
