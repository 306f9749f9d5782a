import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { parsePythonVersion } from './python-version.ts';
import { slugifyTag } from './tags.ts';

/** What {@link getPrefectImageName} takes when no version is known: the newest image of Prefect 3. */
export const defaultPrefectVersion = '3';
/** The Python of Prefect's images that is taken when none is known. */
export const defaultPythonVersion = '3.12';

/**
 * Prefect's `get_prefect_image_name`: the image for a version of Prefect and of Python: `prefecthq/prefect:3.4.5-python3.12`.
 * A version with a local part stands for a development image, by the revision in that part:
 * `3.4.6+12.g1a2b3c4` is `prefecthq/prefect-dev:sha-1a2b3c4-python3.12`.
 *
 * Nothing of this machine is asked: Prefect takes the versions of the Python that runs it and runs `git`.
 * {@link findPrefectVersions} finds what a project uses. An empty text counts as not given.
 *
 * @param prefectVersion default {@link defaultPrefectVersion}
 * @param pythonVersion `3.12`; default {@link defaultPythonVersion}
 * @param flavor appended: `conda`, `kubernetes`
 * @throws BoxwrightError VERSION_INVALID
 */
export function getPrefectImageName(prefectVersion?: string, pythonVersion?: string, flavor?: string): string {
  const given = prefectVersion || defaultPrefectVersion;
  const version = parsePythonVersion(given);
  const python = `python${pythonVersion || defaultPythonVersion}`;
  const suffix = flavor ? `${python}-${flavor}` : python;
  if (version.local === undefined) return `prefecthq/prefect:${slugifyTag(`${version.public}-${suffix}`)}`;
  const revision = /(?:^|\.)g?([0-9a-f]{7,40})(?:\.|$)/.exec(version.local)?.[1];
  if (revision === undefined) {
    throw new BoxwrightError(
      'VERSION_INVALID',
      `the version ${escapeForTerminal(given)} of Prefect names no revision, so its development image is not known`,
      { hint: 'Give a released version, such as 3.4.5, or one with a revision: 3.4.6+12.g1a2b3c4.' },
    );
  }
  return `prefecthq/prefect-dev:${slugifyTag(`sha-${revision.slice(0, 7)}-${suffix}`)}`;
}
