/** Docker Hub's name in references, and the host that its registry is at (distribution/reference, moby). */
const HUB = 'docker.io';
const HUB_HOST = 'registry-1.docker.io';
const HUB_ALIASES: readonly string[] = [HUB_HOST, 'index.docker.io'];

/** The host that is connected to for a registry of a reference. */
export function hostOfRegistry(registry: string): string {
  return registry === HUB ? HUB_HOST : registry;
}

/** The name that references and settings have for a host. */
export function registryOfHost(host: string): string {
  return HUB_ALIASES.includes(host) ? HUB : host;
}
