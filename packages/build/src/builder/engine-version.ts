/**
 * Prefect's `format_outlier_version_name`: a Docker version without `-ce` and `-ee`, so that it can be compared as a
 * version: `20.10.0-ce` is `20.10.0`. Every `-ce` goes first, then every `-ee`, wherever they stand.
 */
export function formatOutlierVersionName(version: string): string {
  return version.replaceAll('-ce', '').replaceAll('-ee', '');
}
