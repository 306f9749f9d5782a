import type { ImageConfig } from '@boxwright/oci';
import { present, zeroTime } from './go-values.ts';
import type { DockerInspectSource, InfoObject } from './info-source.ts';

/** The image's comment: its own, which commits and imports have, else that of the last history entry. */
export function commentOf(config: ImageConfig): string {
  return stringMember(config, 'comment') || (config.history.at(-1)?.comment ?? '');
}

/** A member of the config that the OCI specification does not have; `''` when it is absent. */
export function stringMember(config: ImageConfig, name: string): string {
  const value = config.json.get(name);
  return typeof value === 'string' ? value : '';
}

/** `RootFS`. */
export function rootFs(config: ImageConfig): InfoObject {
  return { Type: 'layers', ...present('Layers', config.rootfs.diffIds) };
}

/** `Metadata`: what one host's store knows. Go's zero time for an image that was never tagged here. */
export function metadata({ lastTagTime }: DockerInspectSource): InfoObject {
  return { LastTagTime: lastTagTime === undefined ? zeroTime : new Date(lastTagTime).toISOString() };
}

/** `GraphDriver` belongs to one host's storage and does not follow from an image: the member is there, and empty. */
export const noGraphDriver: InfoObject = { Data: null, Name: '' };
