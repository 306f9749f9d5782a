import { UsageError } from '@boxwright/errors';
import { parseReference, type Reference } from '@boxwright/oci';

/** The transport of registries, which may be left out where nothing else can be meant. */
const transport = 'docker://';

/** A name in a registry, with or without `docker://`. @throws BoxwrightError REFERENCE_INVALID */
export function parseRegistryReference(text: string): Reference {
  return parseReference(text.startsWith(transport) ? text.slice(transport.length) : text);
}

/** A repository: neither tag nor digest. @throws UsageError for a name with one; BoxwrightError REFERENCE_INVALID */
export function parseRepository(text: string): Reference {
  const reference = parseRegistryReference(text);
  if (reference.tag === undefined && reference.digest === undefined) return reference;
  throw new UsageError(`${text} names one image, not a repository`, { hint: 'Leave out the tag or digest.' });
}

/** A count given on the command line. @throws UsageError for anything but a whole number of at least 1 */
export function parseCount(text: string, option: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1) return count;
  throw new UsageError(`${option} ${text}: must be a whole number of at least 1`);
}
