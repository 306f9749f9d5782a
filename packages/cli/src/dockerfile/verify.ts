import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildEvent } from '@boxwright/build';
import { escapeForTerminal, isBoxwrightError } from '@boxwright/errors';
import {
  compareConfigs,
  dockerfileText,
  lostRows,
  type ReconstructedDockerfile,
  type VerificationReport,
} from '@boxwright/inspect';
import {
  canonicalName,
  type ImageConfig,
  ImageStore,
  parseReference,
  platformOf,
  storeDestination,
  withDefaultTag,
} from '@boxwright/oci';
import { type BaseImage, placeBase } from './base-image.ts';
import type { LaidOut } from './extract.ts';

/** What is compared with what. */
export interface VerifyRequest {
  readonly original: ImageConfig;
  readonly dockerfile: ReconstructedDockerfile;
  readonly base: BaseImage;
}

/** Works out what the instructions set, without running any of them. */
export async function verifyMetadata(request: VerifyRequest, reason: string | undefined): Promise<VerificationReport> {
  const { original, dockerfile, base } = request;
  const { plannedImage } = await import('@boxwright/build');
  const rebuilt = await plannedImage({
    dockerfileText: dockerfileText(dockerfile, { title: 'the image' }),
    platform: platformOf(original),
    labels: labelsOf(dockerfile),
    contexts: dockerfile.steps.flatMap(({ copy }) => (copy?.from === undefined ? [] : [copy.from])),
    image: () => base.config,
  });
  const fields = compareConfigs(original, rebuilt, { built: false, lostRows: lostRows(original, dockerfile) });
  return { level: 'metadata', ...(reason === undefined ? {} : { reason }), fields };
}

/** What building it takes. */
export interface BuildAgainRequest extends VerifyRequest {
  readonly laidOut: LaidOut;
  /** For the store and the Dockerfile of this build; the caller removes it. */
  readonly scratchDir: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: BuildEvent) => void;
}

/**
 * Builds the Dockerfile on the image's own base layers, in a store of its own. Where that fails, for whatever reason of its
 * own, what instructions set is worked out instead: that something cannot be built here is an answer too.
 *
 * @throws the signal's reason
 */
export async function verifyByBuilding(request: BuildAgainRequest): Promise<VerificationReport> {
  const { original, dockerfile, base, laidOut, signal } = request;
  const { createEmbeddedEngine } = await import('@boxwright/build');
  using store = ImageStore.open(join(request.scratchDir, 'store'));
  // The one beside the files may lack secrets. Nothing of them is ignored, whatever ignore file is among them.
  const dockerfilePath = join(request.scratchDir, 'Dockerfile');
  writeFileSync(dockerfilePath, dockerfileText(dockerfile, { title: 'the image' }), { mode: 0o600 });
  writeFileSync(`${dockerfilePath}.dockerignore`, '');
  try {
    if (dockerfile.base.kind !== 'scratch') {
      const name = canonicalName(withDefaultTag(parseReference(dockerfile.base.name)));
      await placeBase(base, name, storeDestination(store), signal);
    }
    const result = await createEmbeddedEngine().build({
      store,
      contextDir: laidOut.contextDir,
      dockerfilePath,
      tags: [],
      buildArgs: new Map(),
      labels: labelsOf(dockerfile),
      platform: platformOf(original),
      noCache: false,
      secrets: [],
      namedContexts: new Map([...laidOut.contexts].map(([name, path]) => [name, { kind: 'directory', path }])),
      network: 'default',
      extraHosts: [],
      outputs: [{ type: 'image' }],
      signal,
      onEvent: request.onEvent,
    });
    const rebuilt = store.image(result.manifest).config();
    const fields = compareConfigs(original, rebuilt, { built: true, lostRows: lostRows(original, dockerfile) });
    return { level: 'build', fields };
  } catch (error) {
    signal.throwIfAborted();
    if (!isBoxwrightError(error)) throw error;
    return await verifyMetadata(request, `it could not be built: ${escapeForTerminal(error.message)} [${error.code}]`);
  }
}

function labelsOf({ buildLabels }: ReconstructedDockerfile): ReadonlyMap<string, string> {
  return new Map(buildLabels.map(({ name, value = '' }) => [name, value]));
}
