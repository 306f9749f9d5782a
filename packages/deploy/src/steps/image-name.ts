import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { canonicalName, isTag, parseReference, type Reference, withTag } from '@boxwright/oci';

/** Variables that name the namespace of images without one: the new one wins. */
const namespaceVariables: readonly string[] = [
  'PREFECT_DEPLOYMENTS_DEFAULT_DOCKER_BUILD_NAMESPACE',
  'PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE',
];

/** An image as a step names it. */
export interface StepImage {
  /** As written, with the namespace, without the tag: `image_name` of results. */
  readonly name: string;
  readonly tag: string | undefined;
  readonly additionalTags: readonly string[];
  readonly reference: Reference;
}

/** What a step says about an image. */
export interface StepImageOptions {
  readonly imageName: string;
  readonly tag?: string | undefined;
  readonly additionalTags?: readonly string[] | undefined;
}

/**
 * Reads the name and the tags of a step. A tag may stand in the name; an empty one is none.
 *
 * @throws BoxwrightError REFERENCE_INVALID with `details.input`
 */
export function stepImage(
  { imageName, tag, additionalTags = [] }: StepImageOptions,
  env: Readonly<Record<string, string | undefined>>,
): StepImage {
  if (/\s/.test(imageName)) {
    throw invalid(
      'image_name',
      `Invalid Docker image name '${escapeForTerminal(imageName)}'. Image names cannot contain spaces.`,
      "Use lowercase letters, numbers, and separators like '-', '_', '.', and '/'.",
    );
  }
  const namespace = namespaceVariables.map((name) => env[name]).find((value) => value !== undefined && value !== '');
  const full =
    imageName.includes('/') || namespace === undefined ? imageName : `${namespace.replace(/\/+$/, '')}/${imageName}`;
  const reference = located('image_name', () => parseReference(full));
  if (reference.digest !== undefined) {
    throw invalid(
      'image_name',
      `image_name ${escapeForTerminal(full)} names a digest`,
      'Leave out everything from @ on.',
    );
  }
  // A first part in capitals is a registry's host to Docker; in a project file nobody means one.
  if (/^[^.:]*[A-Z][^.:]*$/.test(reference.domain)) {
    throw invalid(
      'image_name',
      `invalid image name "${escapeForTerminal(full)}": the repository name must be lower case`,
      `Write ${full.toLowerCase()}.`,
    );
  }
  const inName = reference.tag;
  if (inName !== undefined && tag !== undefined && tag !== '' && tag !== inName) {
    throw invalid(
      'tag',
      `Only one tag can be provided - both '${escapeForTerminal(inName)}' and '${escapeForTerminal(tag)}' were provided as tags.`,
      'Leave the tag out of image_name.',
    );
  }
  const name = inName === undefined ? full : full.slice(0, -inName.length - 1);
  for (const one of additionalTags) checkTag('additional_tags', reference, one);
  const chosen = tag === '' || tag === undefined ? inName : tag;
  if (chosen !== undefined) checkTag('tag', reference, chosen);
  return { name, tag: chosen, additionalTags: [...new Set(additionalTags)], reference };
}

/** Canonical reference of an image under a tag. */
export function taggedName({ reference }: StepImage, tag: string): string {
  return canonicalName(withTag(reference, tag));
}

function checkTag(input: string, reference: Reference, tag: string): void {
  if (!isTag(tag)) located(input, () => withTag(reference, tag));
}

/** The error of a name says which input holds it. */
function located<T>(input: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof BoxwrightError)) throw error;
    const { code, message, hint, details } = error;
    throw new BoxwrightError(code, message, { hint, cause: error, details: { ...details, input } });
  }
}

function invalid(input: string, message: string, hint: string): BoxwrightError {
  return new BoxwrightError('REFERENCE_INVALID', message, { hint, details: { input } });
}
