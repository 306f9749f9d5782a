import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { escapeForTerminal, isBoxwrightError, safeJson, UsageError } from '@boxwright/errors';
import {
  type DockerfileSubject,
  dockerfileDocument,
  type ExtractionReport,
  type ImageSecrets,
  imageSecrets,
  LOST_BASE,
  platformText,
  type ReconstructedDockerfile,
  reconstructDockerfile,
  type VerificationReport,
} from '@boxwright/inspect';
import { type ImageConfig, type ImageLayer, type ImageManifest, platformOf } from '@boxwright/oci';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { CommandPlaces } from '../command-places.ts';
import { type CommonFlags, newCommand } from '../commander.ts';
import { baseCandidates } from '../dockerfile/base-candidates.ts';
import { type BaseImage, baseImage } from '../dockerfile/base-image.ts';
import { extractionReport, type LaidOut, type LayOutRequest, layOut } from '../dockerfile/extract.ts';
import { contentSource } from '../dockerfile/layer-source.ts';
import {
  type DockerfileEvidence,
  redactDockerfile,
  redactExtraction,
  redactVerification,
} from '../dockerfile/redact-dockerfile.ts';
import { extractionText, verificationText } from '../dockerfile/report-text.ts';
import { verifyByBuilding, verifyMetadata } from '../dockerfile/verify.ts';
import { parsePlatformFlag } from '../options/platform.ts';
import { noteRedacted, showSecretsOption } from '../options/show-secrets.ts';
import { createRenderer } from '../progress/create-renderer.ts';
import { openShownImage, type ShownImage } from '../shown-image.ts';
import { writeNote } from '../terminal/write-note.ts';
import { insecureOption } from '../transfer/transfer-flags.ts';
import { isRoot, runInUserNamespace } from '../user-namespace.ts';

interface DockerfileFlags extends CommonFlags {
  readonly from: readonly string[];
  readonly extract?: string;
  readonly verify: boolean;
  readonly run: boolean;
  readonly format: 'text' | 'json';
  readonly platform?: string;
  readonly insecure: boolean;
  readonly showSecrets: boolean;
  readonly auto: boolean;
}

const examples = [
  'boxwright dockerfile app > Dockerfile',
  'boxwright dockerfile --from python:3.12-slim docker://example.com/team/app:1.2     with a base to compare',
  'boxwright dockerfile --extract app-again app                 with the files of its COPY instructions',
  'boxwright dockerfile --verify app                            build it again, and compare',
  'boxwright dockerfile --verify --no-run app                   compare only what instructions set',
  'boxwright dockerfile --auto . > Dockerfile                   one for the project in a directory',
];

/** `boxwright dockerfile`. */
export function dockerfileCommand(context: CommandContext): Command {
  return newCommand(
    'dockerfile',
    'Writes the Dockerfile that an image was built from, as far as its history and config tell. What they do not tell (where --from copied from, mounts, stages) is marked as lost. With --auto: makes one for a project.',
    context,
    examples,
  )
    .argument(
      '[image]',
      'name or id in the local store, else name in a registry; or a place: docker://NAME, oci:DIR, …; with --auto a directory (default: .)',
    )
    .option(
      '--from <image>',
      'an image that may be its base, beside those of the local store; repeatable',
      (name: string, names: readonly string[]) => [...names, name],
      [],
    )
    .option('--extract <dir>', 'write it into a new directory, with all that it needs to build')
    .option('--verify', 'build it and compare with the image, field by field; exit code 1 when a field differs', false)
    .option('--no-run', 'with --verify: do not build, compare what the instructions set')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--platform <os/arch>', 'which image of several platforms (default: this machine)')
    .addOption(insecureOption())
    .addOption(showSecretsOption())
    .option('--auto', 'make a Dockerfile for the project in a directory, by what its files say', false)
    .action((image: string | undefined, flags: DockerfileFlags) => chosen(image, flags, context));
}

async function chosen(name: string | undefined, flags: DockerfileFlags, context: CommandContext): Promise<void> {
  if (flags.auto) {
    refuseBesideAuto(flags);
    const { writeAutomaticDockerfile } = await import('../dockerfile/automatic.ts');
    writeAutomaticDockerfile(name ?? '.', flags.format, context);
    return;
  }
  if (name === undefined) {
    throw new UsageError("missing required argument 'image'", { hint: '--auto makes one for the project here.' });
  }
  await dockerfile(name, flags, context);
}

/** What is about an image says nothing about a project. */
function refuseBesideAuto({ from, extract, verify, platform }: DockerfileFlags): void {
  const given = [
    ...(from.length > 0 ? ['--from'] : []),
    ...(extract === undefined ? [] : ['--extract']),
    ...(verify ? ['--verify'] : []),
    ...(platform === undefined ? [] : ['--platform']),
  ];
  if (given.length === 0) return;
  throw new UsageError(`${given.join(', ')} is for images, --auto for projects`, { hint: 'Leave one of them out.' });
}

/** An image that was read, and what was read out of it. */
interface Subject {
  readonly subject: DockerfileSubject;
  readonly config: ImageConfig;
  readonly manifest: ImageManifest;
  readonly dockerfile: ReconstructedDockerfile;
  readonly evidence: DockerfileEvidence;
  /** The secrets of the image; none when they are to be shown. */
  readonly secrets: ImageSecrets | undefined;
}

interface Reports {
  readonly dockerfile: ReconstructedDockerfile;
  readonly extracted?: ExtractionReport;
  readonly verification?: VerificationReport;
}

async function dockerfile(name: string, flags: DockerfileFlags, context: CommandContext): Promise<void> {
  if (!flags.run && !flags.verify) {
    throw new UsageError('--no-run goes with --verify', { hint: 'Without --verify nothing is run.' });
  }
  using places = new CommandPlaces(context, {
    store: flags.store,
    insecure: flags.insecure,
    onNote: (note) => writeNote(note, context),
  });
  const platform = flags.platform === undefined ? undefined : parsePlatformFlag(flags.platform);
  const image = await openShownImage(name, platform, places);
  try {
    const subject = await readSubject(name, image, flags, places);
    const reports = await report(name, subject, flags, places, context);
    if (reports === undefined) return;
    print(subject, reports, flags, context);
    if (reports.verification?.fields.some(({ status }) => status === 'differs') === true) context.setExitCode(1);
  } finally {
    await image.close();
  }
}

async function readSubject(
  name: string,
  image: ShownImage,
  { from, showSecrets }: DockerfileFlags,
  places: CommandPlaces,
): Promise<Subject> {
  const read = await image.read();
  const { manifest } = read;
  const config = await read.config();
  const candidates = await baseCandidates(from, platformOf(config), places);
  // OCI image-spec annotations.md; builders write it as a label, too.
  const baseName = 'org.opencontainers.image.base.name';
  const claimed = manifest.annotations?.get(baseName) ?? config.config.Labels.get(baseName);
  return {
    subject: {
      name: escapeForTerminal(name),
      digest: read.descriptor.digest,
      id: manifest.config.digest,
      platform: platformText(config),
    },
    config,
    manifest,
    dockerfile: reconstructDockerfile(config, { candidates, claimed }),
    evidence: { config, candidates, claimed },
    secrets: showSecrets ? undefined : imageSecrets(config),
  };
}

/** Extracts and verifies as asked; undefined when another process, with the privilege that this one lacks, did it all. */
async function report(
  name: string,
  subject: Subject,
  flags: DockerfileFlags,
  places: CommandPlaces,
  context: CommandContext,
): Promise<Reports | undefined> {
  const { dockerfile: found, config, manifest } = subject;
  if (flags.extract === undefined && !flags.verify) return { dockerfile: found };
  const privilege = flags.verify && flags.run ? await ensurePrivilege(found, context) : undefined;
  if (privilege === 'done') return undefined;
  const builds = flags.verify && flags.run && privilege === undefined;
  const layers = layersOf(manifest, config);
  const { source, close } = await contentSource(name, neededLayers(layers, found, builds), places);
  const scratch = mkdtempSync(join(tmpdir(), 'boxwright-dockerfile-'));
  try {
    const base = baseImage(subject, found.base, source);
    if (flags.extract === undefined && !builds) {
      return {
        dockerfile: found,
        verification: await verifyMetadata({ original: config, dockerfile: found, base }, privilege),
      };
    }
    const request: LayOutRequest = {
      subject: subject.subject,
      dockerfile: found,
      layers,
      source,
      directory: flags.extract === undefined ? join(scratch, 'files') : resolve(context.cwd, flags.extract),
      ...(flags.extract !== undefined && found.base.name === LOST_BASE ? { base } : {}),
      shown: (dockerfile) => withoutSecrets(dockerfile, subject),
      signal: context.signal,
    };
    const laidOut = await layOut(request);
    const extracted = flags.extract === undefined ? {} : { extracted: extractionReport(laidOut, request, context.cwd) };
    if (!flags.verify) return { dockerfile: laidOut.dockerfile, ...extracted };
    const verifying = { original: config, dockerfile: laidOut.dockerfile, base };
    const verification = builds
      ? await build({ ...verifying, laidOut, scratchDir: scratch }, context)
      : await verifyMetadata(verifying, privilege);
    return { dockerfile: laidOut.dockerfile, ...extracted, verification };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    await close();
  }
}

/** RUN wants root or a user namespace. `done`: there it was all done; a text: why it cannot be had. */
async function ensurePrivilege(
  { steps }: ReconstructedDockerfile,
  context: CommandContext,
): Promise<string | undefined> {
  if (!isRoot() && !steps.some(({ kind }) => kind === 'RUN')) return undefined;
  try {
    return (await runInUserNamespace(context)) ? 'done' : undefined;
  } catch (error) {
    if (!isBoxwrightError(error) || error.code !== 'SANDBOX_UNAVAILABLE') throw error;
    return `it could not be built: ${error.message} [${error.code}]`;
  }
}

async function build(
  request: Omit<Parameters<typeof verifyByBuilding>[0], 'signal' | 'onEvent'> & {
    readonly laidOut: LaidOut;
    readonly base: BaseImage;
  },
  context: CommandContext,
): Promise<VerificationReport> {
  const { useThisThreadForSandboxes } = await import('@boxwright/build');
  if (context.ownsProcess) useThisThreadForSandboxes();
  const mode = context.stderr.isTTY === true ? 'auto' : 'silent';
  const renderer = await createRenderer(mode, context.stderr, context.colors);
  try {
    return await verifyByBuilding({ ...request, signal: context.signal, onEvent: (event) => renderer.onEvent(event) });
  } finally {
    renderer.finish();
  }
}

function layersOf({ layers }: ImageManifest, { rootfs }: ImageConfig): ImageLayer[] {
  return layers.flatMap((descriptor, index) => {
    const diffId = rootfs.diffIds[index];
    return diffId === undefined || layers.length !== rootfs.diffIds.length ? [] : [{ descriptor, diffId }];
  });
}

function neededLayers(
  layers: readonly ImageLayer[],
  { base, steps }: ReconstructedDockerfile,
  builds: boolean,
): ImageLayer['descriptor'][] {
  const copied = new Set(steps.filter(({ copy }) => copy !== undefined).map(({ layer }) => layer));
  const wantsBase = builds || base.name === LOST_BASE;
  return layers
    .filter((_, index) => copied.has(index) || (wantsBase && index < base.layers))
    .map(({ descriptor }) => descriptor);
}

function withoutSecrets(dockerfile: ReconstructedDockerfile, { evidence, secrets }: Subject): ReconstructedDockerfile {
  if (secrets === undefined || secrets.findings.length === 0) return dockerfile;
  return redactDockerfile(evidence, dockerfile, secrets.redactor);
}

function print(
  subject: Subject,
  { dockerfile: found, extracted, verification }: Reports,
  flags: DockerfileFlags,
  context: CommandContext,
): void {
  const { secrets } = subject;
  if (secrets !== undefined) noteRedacted(secrets.findings, context);
  const redactor = secrets?.redactor;
  const extraction = extracted && redactor ? redactExtraction(extracted, redactor) : extracted;
  const comparison = verification && redactor ? redactVerification(verification, redactor) : verification;
  const document = dockerfileDocument(subject.subject, withoutSecrets(found, subject), {
    ...(extraction === undefined ? {} : { extracted: extraction }),
    ...(comparison === undefined ? {} : { verification: comparison }),
  });
  if (flags.format === 'json') {
    context.stdout.write(`${safeJson(document, 2)}\n`);
    return;
  }
  if (extraction === undefined) context.stdout.write(shown(document.dockerfile, context));
  else context.stderr.write(extractionText(extraction));
  if (comparison !== undefined) context.stderr.write(verificationText(comparison));
}

/** A file gets the text as it is; a terminal gets what could steer it as escapes. */
function shown(text: string, { stdout }: CommandContext): string {
  if (stdout.isTTY !== true) return text;
  return text
    .split('\n')
    .map((line) => line.split('\t').map(escapeForTerminal).join('\t'))
    .join('\n');
}
