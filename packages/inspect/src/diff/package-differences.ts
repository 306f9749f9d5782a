import type { TreeNode } from '@boxwright/oci';
import type { PackageDifference, PackageDifferences, UnreadPackages } from './model.ts';
import { type InstalledPackage, type PackageManager, packageFile, pythonPackage } from './package-file.ts';
import { packageList } from './package-lists.ts';

/** Reads a file of an image; undefined when it is larger than `maxSize`. */
export type ReadFile = (node: TreeNode, maxSize: number) => Promise<Buffer | undefined>;

/** Larger lists are not read: Debian's with all of its packages has less. */
const maxListSize = 256 * 1024 ** 2;
const maxPackageJson = 1024 ** 2;

/**
 * Gathers what tells of packages in one image while trees are compared: only files that are not the same in both, so that
 * what both have costs nothing.
 */
export class PackageFiles {
  readonly #lists: { readonly manager: PackageManager; readonly node: TreeNode }[] = [];
  readonly #versions = new Map<string, string[]>();
  readonly #unread = new Map<string, UnreadPackages>();

  note(node: TreeNode): void {
    const found = packageFile(node.path);
    if (found === undefined) return;
    const { manager, kind } = found;
    if (kind === 'name') this.#add(manager, pythonPackage(node.path));
    else if (node.entry.type !== 'file') return;
    else if (kind === 'unread') this.#skip(manager, 'format');
    else this.#lists.push({ manager, node });
  }

  /**
   * Versions by manager and name.
   *
   * @param npmLimit how many `package.json` files may be read
   */
  async read(readFile: ReadFile, npmLimit: number): Promise<ReadonlyMap<string, readonly string[]>> {
    let npm = 0;
    for (const { manager, node } of this.#lists) {
      if (manager === 'npm' && ++npm > npmLimit) {
        this.#skip(manager, 'limit');
        continue;
      }
      const content = await readFile(node, manager === 'npm' ? maxPackageJson : maxListSize);
      const packages = content === undefined ? undefined : packageList(manager, content);
      if (packages === undefined) this.#skip(manager, content === undefined ? 'limit' : 'invalid');
      for (const one of packages ?? []) this.#add(manager, one);
    }
    return this.#versions;
  }

  get unread(): readonly UnreadPackages[] {
    return [...this.#unread.values()];
  }

  #add(manager: PackageManager, one: InstalledPackage | undefined): void {
    if (one === undefined) return;
    const key = `${manager} ${one.name}`;
    const known = this.#versions.get(key);
    if (known === undefined) this.#versions.set(key, [one.version]);
    else known.push(one.version);
  }

  #skip(manager: PackageManager, reason: UnreadPackages['reason']): void {
    const key = `${manager} ${reason}`;
    const count = (this.#unread.get(key)?.count ?? 0) + 1;
    this.#unread.set(key, { manager, reason, count });
  }
}

/** One image's packages, and how to read them. */
export interface PackageSide {
  readonly files: PackageFiles;
  readonly readFile: ReadFile;
  readonly npmLimit: number;
}

/** Packages that are not the same in both. @throws BoxwrightError as reading files */
export async function packageDifferences(before: PackageSide, after: PackageSide): Promise<PackageDifferences> {
  const left = await before.files.read(before.readFile, before.npmLimit);
  const right = await after.files.read(after.readFile, after.npmLimit);
  const list: PackageDifference[] = [];
  for (const key of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const [one, other] = [left.get(key) ?? [], right.get(key) ?? []].map((versions) => [...new Set(versions)].sort());
    if (one === undefined || other === undefined || sameList(one, other)) continue;
    const blank = key.indexOf(' ');
    // The cast: the key was made of one.
    list.push({
      manager: key.slice(0, blank) as PackageManager,
      name: key.slice(blank + 1),
      before: one,
      after: other,
    });
  }
  return { list, unread: mergeUnread(before.files.unread, after.files.unread) };
}

function sameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}

function mergeUnread(...lists: readonly (readonly UnreadPackages[])[]): UnreadPackages[] {
  const merged = new Map<string, UnreadPackages>();
  for (const one of lists.flat()) {
    const key = `${one.manager} ${one.reason}`;
    merged.set(key, { ...one, count: one.count + (merged.get(key)?.count ?? 0) });
  }
  return [...merged.values()];
}
