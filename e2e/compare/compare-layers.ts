import {
  applyLayer,
  baseName,
  type FileNode,
  type FileTree,
  hardLinkGroups,
  isWhiteout,
  OPAQUE,
  parentOf,
} from './flatten.ts';
import type { ImageSummary, LayerEntry } from './summary.ts';
import { mtimeClass } from './time-classes.ts';

/**
 * Differences of the layers: the whole file system after each layer (type, mode, owner, size, content, link target,
 * xattrs, device, hard links, mtime by class), and which paths each layer names. Reports the first layer that differs,
 * since all later file systems differ with it.
 */
export function compareLayers(expected: ImageSummary, actual: ImageSummary): string[] {
  if (expected.layers.length !== actual.layers.length) {
    return [`layers: ${expected.layers.length} expected, ${actual.layers.length} found`];
  }
  let expectedTree: FileTree = new Map();
  let actualTree: FileTree = new Map();
  for (const [index, expectedLayer] of expected.layers.entries()) {
    const actualLayer = actual.layers[index] ?? [];
    const nextExpected = applyLayer(expectedTree, expectedLayer);
    const nextActual = applyLayer(actualTree, actualLayer);
    const differences = [
      ...nextExpected.anomalies.map((text) => `expected image unsound: ${text}`),
      ...nextActual.anomalies.map((text) => `unsound: ${text}`),
      ...compareTrees(nextExpected.tree, nextActual.tree),
      ...comparePaths(expectedLayer, expectedTree, actualLayer, actualTree),
    ];
    if (differences.length > 0) return differences.map((text) => `layer ${index}: ${text}`);
    expectedTree = nextExpected.tree;
    actualTree = nextActual.tree;
  }
  return [];
}

/** Differences of two flattened file systems. */
export function compareTrees(expected: FileTree, actual: FileTree): string[] {
  const lines: string[] = [];
  const expectedGroups = hardLinkGroups(expected);
  const actualGroups = hardLinkGroups(actual);
  for (const path of [...new Set([...expected.keys(), ...actual.keys()])].toSorted()) {
    const wanted = expected.get(path);
    const found = actual.get(path);
    if (wanted === undefined) lines.push(`/${path}: not expected, found ${describe(found)}`);
    else if (found === undefined) lines.push(`/${path}: missing, expected ${describe(wanted)}`);
    else {
      const wantedText = describe(wanted);
      const foundText = describe(found, wanted);
      if (wantedText !== foundText) lines.push(`/${path}: expected ${wantedText}\n    found ${foundText}`);
      const wantedGroup = expectedGroups.get(path) ?? 'no hard links';
      const foundGroup = actualGroups.get(path) ?? 'no hard links';
      if (wantedGroup !== foundGroup) lines.push(`/${path}: expected ${wantedGroup}, found ${foundGroup}`);
    }
  }
  return lines;
}

/**
 * A directory that the build touched: overlayfs gives it the time of the last name made in it, a builder that computes
 * layers leaves the time it had. Nothing can depend on it, so ours may be either; a directory's time that the reference
 * kept (copied from the context, from the base) has to be kept.
 */
function isTouchedDirectory(node: FileNode): boolean {
  return node.entry.type === 'dir' && mtimeClass(node.entry.mtime) === 'build';
}

/**
 * Everything of a node that has to be equal, as one text; `wanted` is the reference's node when ours is described.
 * Docker's own layers (not those it loads) leave `user.*` xattrs out, so ours may have them where it has none.
 * A link's own mode has no meaning on Linux.
 */
function describe(node: FileNode | undefined, wanted?: FileNode): string {
  if (node === undefined) return 'nothing';
  const { entry } = node;
  const anyTime = wanted !== undefined && isTouchedDirectory(wanted);
  const xattrs = Object.entries(entry.xattrs)
    .filter(([name]) => !name.startsWith('user.') || wanted === undefined || Object.hasOwn(wanted.entry.xattrs, name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  return [
    entry.type,
    entry.type === 'symlink' ? `→ ${entry.link}` : `0${entry.mode.toString(8)}`,
    `${entry.uid}:${entry.gid}`,
    ...(entry.size === undefined ? [] : [`${entry.size} bytes ${entry.sha256?.slice(0, 12)}`]),
    ...(entry.dev === undefined ? [] : [entry.dev]),
    ...xattrs,
    `mtime ${anyTime ? 'build' : mtimeClass(entry.mtime)}`,
  ].join(' ');
}

/**
 * Which paths a layer names has to be equal, but for directories that one side repeats unchanged from below: writing a
 * file's parents again says nothing new, and overlayfs does it for every directory on the way.
 */
function comparePaths(
  expected: readonly LayerEntry[],
  expectedLower: FileTree,
  actual: readonly LayerEntry[],
  actualLower: FileTree,
): string[] {
  const wanted = namesOf(expected, expectedLower);
  const found = namesOf(actual, actualLower);
  return [
    ...[...wanted].filter((path) => !found.has(path)).map((path) => `/${path}: not named by the layer`),
    ...[...found].filter((path) => !wanted.has(path)).map((path) => `/${path}: named by the layer without need`),
  ];
}

function namesOf(layer: readonly LayerEntry[], lower: FileTree): Set<string> {
  return new Set(layer.filter((entry) => !saysNothing(entry, lower)).map(({ path }) => path));
}

/** An opaque marker where no directory was below hides nothing: the reference writes one when a directory replaces a link. */
function saysNothing(entry: LayerEntry, lower: FileTree): boolean {
  if (!isWhiteout(entry)) return repeatsDirectory(entry, lower);
  return baseName(entry.path) === OPAQUE && lower.get(parentOf(entry.path))?.entry.type !== 'dir';
}

function repeatsDirectory(entry: LayerEntry, lower: FileTree): boolean {
  if (entry.type !== 'dir') return false;
  return entry.path === '' || lower.get(entry.path)?.entry.type === 'dir';
}
