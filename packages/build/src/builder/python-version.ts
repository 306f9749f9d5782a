import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';

/** A version as Python packages have them (https://packaging.python.org/en/latest/specifications/version-specifiers/). */
export interface PythonVersion {
  /** Normalised, without the local part: `3.0.0rc1`, `1!2.0`. */
  readonly public: string;
  /** What follows `+`, normalised: `12.g1a2b3c4`. */
  readonly local: string | undefined;
}

const longestVersion = 200;

// Appendix "Parsing version strings with regular expressions": the parts, each once.
const parts = {
  epoch: '(?:(?<epoch>[0-9]+)!)?',
  release: '(?<release>[0-9]+(?:\\.[0-9]+)*)',
  pre: '(?:[-_.]?(?<pre>alpha|beta|preview|rc|pre|a|b|c)[-_.]?(?<preNumber>[0-9]+)?)?',
  post: '(?:-(?<implicitPost>[0-9]+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>[0-9]+)?)?',
  dev: '(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>[0-9]+)?)?',
  local: '(?:\\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?',
};
const pattern = new RegExp(
  `^v?${parts.epoch}${parts.release}${parts.pre}${parts.post}${parts.dev}${parts.local}$`,
  'i',
);

const preNames: ReadonlyMap<string, string> = new Map([
  ['alpha', 'a'],
  ['beta', 'b'],
  ['c', 'rc'],
  ['pre', 'rc'],
  ['preview', 'rc'],
]);

/**
 * Reads a version and normalises it: `v2.14.6` is `2.14.6`, `3.0.0-rc.1` is `3.0.0rc1`, `03.04.05` is `3.4.5`.
 *
 * @throws BoxwrightError VERSION_INVALID
 */
export function parsePythonVersion(text: string): PythonVersion {
  const groups = text.length > longestVersion ? undefined : pattern.exec(text.trim())?.groups;
  if (groups === undefined) {
    throw new BoxwrightError(
      'VERSION_INVALID',
      `Invalid version: '${escapeForTerminal(text.slice(0, longestVersion))}'`,
      { hint: 'Write a version as Python packages have them, such as 3.4.5 or 3.0.0rc1.', details: { version: text } },
    );
  }
  const release = (groups['release'] ?? '').split('.').map(number).join('.');
  const epoch = number(groups['epoch']);
  const preName = groups['pre']?.toLowerCase();
  const hasPost = groups['post'] !== undefined || groups['implicitPost'] !== undefined;
  const local = groups['local']
    ?.toLowerCase()
    .split(/[-_.]/)
    .map((part) => (/^[0-9]+$/.test(part) ? number(part) : part))
    .join('.');
  return {
    public: [
      epoch === '0' ? '' : `${epoch}!`,
      release,
      preName === undefined ? '' : `${preNames.get(preName) ?? preName}${number(groups['preNumber'])}`,
      hasPost ? `.post${number(groups['implicitPost'] ?? groups['postNumber'])}` : '',
      groups['dev'] === undefined ? '' : `.dev${number(groups['devNumber'])}`,
    ].join(''),
    local,
  };
}

/** Without leading zeros, however long; nothing counts as zero. */
function number(digits: string | undefined): string {
  return (digits ?? '').replace(/^0+(?=.)/, '') || '0';
}
