import { canonicalName, familiarName, parseReference, type Reference, repositoryName } from '@boxwright/oci';

/** A command to copy. Several lines for several commands. */
export interface PullCommand {
  /** The program, as it calls itself. */
  readonly tool: string;
  readonly text: string;
}

/** All commands for one name of an image. */
export interface PullTarget {
  /** The familiar name. */
  readonly name: string;
  /** It names these bytes and no others. */
  readonly pinned: boolean;
  /** It is in another repository than the first name. */
  readonly isMirror: boolean;
  readonly commands: readonly PullCommand[];
}

/** Enough for anyone. */
const maxTargets = 6;

/**
 * How to get an image by each of its names and then by its digest, with Docker, Podman, containerd, skopeo, Kubernetes
 * and Boxwright. A name in another repository than the first is a mirror: its commands end with giving the image its own
 * name. Names and platforms that a shell could misunderstand are left out: they come from outside.
 */
export function pullTargets(names: readonly string[], digests: readonly string[], platform: string): PullTarget[] {
  const tagged = references(names).slice(0, maxTargets);
  const pinned = references(digests).slice(0, maxTargets);
  const [first] = tagged;
  const wanted = platformWords(platform);
  return [
    ...tagged.map((reference) => target(reference, first, wanted)),
    ...pinned.map((reference) => target(reference, undefined, wanted)),
  ];
}

interface PlatformWords {
  readonly text: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Undefined for what does not look like a platform: it goes into commands. */
function platformWords(platform: string): PlatformWords | undefined {
  const [, os, architecture, variant] = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9]+))?$/.exec(platform) ?? [];
  if (os === undefined || architecture === undefined) return undefined;
  return { text: platform, os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** The grammar of names has no character that means something to a shell or to YAML. */
function references(names: readonly string[]): Reference[] {
  return names.flatMap((name) => {
    try {
      return [parseReference(name)];
    } catch {
      return [];
    }
  });
}

function target(reference: Reference, own: Reference | undefined, platform: PlatformWords | undefined): PullTarget {
  const isMirror = own !== undefined && repositoryName(own) !== repositoryName(reference);
  const commands = isMirror ? mirrorCommands(reference, own, platform) : commandsOf(reference, platform);
  return { name: familiarName(reference), pinned: reference.digest !== undefined, isMirror, commands };
}

function commandsOf(reference: Reference, platform: PlatformWords | undefined): PullCommand[] {
  const name = familiarName(reference);
  const full = canonicalName(reference);
  const flag = platform === undefined ? '' : ` --platform ${platform.text}`;
  return [
    { tool: 'Docker', text: `docker pull${flag} ${name}` },
    { tool: 'Podman', text: `podman pull${flag} ${full}` },
    { tool: 'nerdctl', text: `nerdctl pull${flag} ${name}` },
    { tool: 'ctr', text: `ctr -n k8s.io images pull${flag} ${full}` },
    { tool: 'skopeo', text: skopeoCopy(reference, platform) },
    { tool: 'Kubernetes', text: `containers:\n  - name: ${containerName(reference)}\n    image: ${full}` },
    { tool: 'Boxwright', text: `boxwright pull${flag} ${name}` },
  ];
}

function mirrorCommands(mirror: Reference, own: Reference, platform: PlatformWords | undefined): PullCommand[] {
  const flag = platform === undefined ? '' : ` --platform ${platform.text}`;
  const both = (pull: string, tag: string) => `${pull} ${canonicalName(mirror)}\n${tag} ${canonicalName(mirror)} `;
  return [
    { tool: 'Docker', text: both(`docker pull${flag}`, 'docker tag') + familiarName(own) },
    { tool: 'Podman', text: both(`podman pull${flag}`, 'podman tag') + canonicalName(own) },
    { tool: 'nerdctl', text: both(`nerdctl pull${flag}`, 'nerdctl tag') + familiarName(own) },
    { tool: 'ctr', text: both(`ctr -n k8s.io images pull${flag}`, 'ctr -n k8s.io images tag') + canonicalName(own) },
    { tool: 'skopeo', text: skopeoCopy(mirror, platform, own) },
    { tool: 'Boxwright', text: both(`boxwright pull${flag}`, 'boxwright tag') + familiarName(own) },
  ];
}

/** Into an archive that `docker load` takes. */
function skopeoCopy(reference: Reference, platform: PlatformWords | undefined, as: Reference = reference): string {
  const flags =
    platform === undefined
      ? ''
      : ` --override-os ${platform.os} --override-arch ${platform.architecture}${platform.variant === undefined ? '' : ` --override-variant ${platform.variant}`}`;
  const { digest: _digest, ...named } = as;
  const file = `${containerName(as)}${as.tag === undefined ? '' : `-${as.tag}`}.tar`;
  const inside = as.digest === undefined ? canonicalName(as) : `${repositoryName(named)}:latest`;
  return `skopeo${flags} copy docker://${canonicalName(reference)} docker-archive:${file}:${inside}`;
}

/** The repository's last component as a DNS label (RFC 1123), which container names have to be. */
function containerName({ path }: Reference): string {
  const last = path.slice(path.lastIndexOf('/') + 1);
  return (
    last
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 63)
      .replace(/-$/, '') || 'app'
  );
}
