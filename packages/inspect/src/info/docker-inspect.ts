import { inspectOfDocker24 } from './engine-24.ts';
import { inspectOfDocker28 } from './engine-28.ts';
import { inspectOfDocker29 } from './engine-29.ts';
import type { DockerInspectSource, InfoObject } from './info-source.ts';

/** Which Docker's members and order. */
export type InspectForm = 'docker-24' | 'docker-28' | 'docker-29';

const engines: Readonly<Record<InspectForm, (source: DockerInspectSource) => InfoObject>> = {
  'docker-24': inspectOfDocker24,
  'docker-28': inspectOfDocker28,
  'docker-29': inspectOfDocker29,
};

/** The forms, oldest first. */
export const inspectForms: readonly InspectForm[] = ['docker-24', 'docker-28', 'docker-29'];

/**
 * What `docker image inspect` prints for an image, in the members and the order of one version. What belongs to a host
 * and not to an image is empty: see {@link hostSpecificMembers}.
 */
export function dockerInspect(source: DockerInspectSource, form: InspectForm = 'docker-29'): InfoObject {
  return engines[form](source);
}

/** Members that do not follow from an image: storage paths, and when a host tagged it. Paths from the top. */
export const hostSpecificMembers: readonly string[] = ['GraphDriver', 'Metadata.LastTagTime'];
