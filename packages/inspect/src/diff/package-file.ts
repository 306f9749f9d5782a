import { type ByteString, fromByteString } from '@boxwright/oci';

/** Whose packages are told apart. */
export type PackageManager = 'dpkg' | 'apk' | 'rpm' | 'python' | 'npm';

/** A file or directory that tells of installed packages. */
export interface PackageFile {
  readonly manager: PackageManager;
  /** `list`: the content tells; `name`: the name does; `unread`: nothing here can read it. */
  readonly kind: 'list' | 'name' | 'unread';
}

const dpkgStatus = /^var\/lib\/dpkg\/(?:status$|status\.d\/(?!.*\.md5sums$)[^/]+$)/;
const apkInstalled = /^(?:usr\/)?lib\/apk\/db\/installed$/;
const rpmDatabase = /^(?:var\/lib|usr\/(?:lib\/sysimage|share))\/rpm\/(?:rpmdb\.sqlite|Packages(?:\.db)?)$/;
const npmPackage = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/;
const pythonDirectory = /\.(?:dist|egg)-info$/;

/**
 * What a path of an image tells of packages: dpkg's status (also one file for each package, as distroless images have
 * it), apk's database, Python's `NAME-VERSION.dist-info` directories (PyPA, "Recording installed projects") and the
 * `package.json` files below `node_modules`.
 */
export function packageFile(path: ByteString): PackageFile | undefined {
  if (pythonDirectory.test(path)) return { manager: 'python', kind: 'name' };
  if (npmPackage.test(path)) return { manager: 'npm', kind: 'list' };
  if (dpkgStatus.test(path)) return { manager: 'dpkg', kind: 'list' };
  if (apkInstalled.test(path)) return { manager: 'apk', kind: 'list' };
  return rpmDatabase.test(path) ? { manager: 'rpm', kind: 'unread' } : undefined;
}

/** A package and its version. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

/** The package of a `.dist-info` or `.egg-info`; undefined when its name has no version. */
export function pythonPackage(path: ByteString): InstalledPackage | undefined {
  const base = fromByteString(path).split('/').at(-1) ?? '';
  const [, name, version] =
    /^(.+)-([^-]+)\.dist-info$/.exec(base) ?? /^(.+?)-(\d[^-]*)(?:-py\d[\d.]*)?\.egg-info$/.exec(base) ?? [];
  if (name === undefined || version === undefined) return undefined;
  // PEP 503: these are one name.
  return { name: name.toLowerCase().replace(/[-_.]+/g, '-'), version };
}
