import type { InstalledPackage, PackageManager } from './package-file.ts';

/** Packages that a file names. Undefined when it is not what it should be. */
export function packageList(manager: PackageManager, content: Buffer): readonly InstalledPackage[] | undefined {
  switch (manager) {
    case 'dpkg':
      return dpkgPackages(content.toString());
    case 'apk':
      return apkPackages(content.toString());
    case 'npm':
      return npmPackage(content.toString());
    case 'rpm':
    case 'python':
    default:
      return undefined;
  }
}

/** deb-control(5) paragraphs; packages that were removed and left their configuration are not installed. */
function dpkgPackages(text: string): InstalledPackage[] {
  return paragraphs(text).flatMap((paragraph) => {
    const name = field(paragraph, 'Package: ');
    const version = field(paragraph, 'Version: ');
    const status = field(paragraph, 'Status: ');
    if (name === undefined || version === undefined) return [];
    return status === undefined || status.endsWith(' installed') ? [{ name, version }] : [];
  });
}

/** apk's `installed`: `P:` is the name, `V:` the version. */
function apkPackages(text: string): InstalledPackage[] {
  return paragraphs(text).flatMap((paragraph) => {
    const name = field(paragraph, 'P:');
    const version = field(paragraph, 'V:');
    return name === undefined || version === undefined ? [] : [{ name, version }];
  });
}

/** Without a name or version it is no package but a directory that says something about modules. */
function npmPackage(text: string): InstalledPackage[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, version }: { name?: unknown; version?: unknown } = value;
  return typeof name === 'string' && typeof version === 'string' ? [{ name, version }] : [];
}

function paragraphs(text: string): readonly (readonly string[])[] {
  return text.split(/\n\s*\n/).map((paragraph) => paragraph.split('\n'));
}

function field(lines: readonly string[], prefix: string): string | undefined {
  return lines
    .find((line) => line.startsWith(prefix))
    ?.slice(prefix.length)
    .trim();
}
