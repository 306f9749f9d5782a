export { dockerInspect, hostSpecificMembers, type InspectForm, inspectForms } from './docker-inspect.ts';
export type { DockerInspectSource, InfoObject } from './info-source.ts';
