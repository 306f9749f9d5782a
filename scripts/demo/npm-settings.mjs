import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { DemoError } from './demo-error.mjs';

/** Settings that say how a registry is reached; `npm config get` follows every file and variable that can set them. */
const simple = ['registry', 'proxy', 'https-proxy', 'noproxy', 'strict-ssl'];

/** Lines of npmrc files that belong to reaching a registry too: scopes and credentials, which npm does not print. */
const ofRegistries = /^\s*(@[^\s:=]+:registry|\/\/[^\s=]+:[\w-]+)\s*=/;

/**
 * An npmrc with which npm reaches the same registry from inside a build as it does here. May hold credentials: it is
 * for a secret mount.
 *
 * @returns {string}
 */
export function npmSettings() {
  const values = npmConfig([...simple, 'cafile', 'userconfig', 'globalconfig']);
  const lines = simple.flatMap((name) => {
    const value = values.get(name);
    return value === undefined || value === 'null' || value === 'undefined' || value === '' ? [] : [`${name}=${value}`];
  });
  for (const file of [values.get('globalconfig'), values.get('userconfig')]) {
    if (file === undefined || !existsSync(file)) continue;
    lines.push(
      ...readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => ofRegistries.test(line)),
    );
  }
  const certificates = certificateTexts(values.get('cafile'));
  // Nothing of the registry's address is to stay in the image, and advice about npm is no use in a build.
  lines.push('omit-lockfile-registry-resolved=true', 'update-notifier=false');
  // A file would be a second secret; npm takes certificates in its settings as well.
  lines.push(...certificates.map((text) => `ca[]=${JSON.stringify(text)}`));
  return `${lines.join('\n')}\n`;
}

/** The certificate authorities that npm trusts here, when they are not those which Node brings. */
function certificateTexts(cafile) {
  if (cafile !== undefined && existsSync(cafile)) return certificatesIn(cafile);
  const extra = process.env['NODE_EXTRA_CA_CERTS'];
  if (extra === undefined || !existsSync(extra)) return [];
  return [...new Set([...rootCertificates, ...certificatesIn(extra)])];
}

function certificatesIn(file) {
  return readFileSync(file, 'latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** @returns {Map<string, string>} */
function npmConfig(names) {
  const { stdout, status } = spawnSync('npm', ['config', 'get', ...names], { encoding: 'utf8' });
  if (status !== 0) throw new DemoError('`npm config get` does not work here.', 'The demo needs npm on the PATH.');
  const values = new Map();
  for (const line of stdout.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return values;
}

/**
 * A directory with npm and everything it needs: the one that runs this, unless its parts are spread over the system
 * (Debian's own package); then npm fetches another one into the cache.
 *
 * @param {string} cache
 * @returns {string}
 */
export function npmDirectory(cache) {
  const program = process.env['npm_execpath'];
  const running = program === undefined ? undefined : dirname(dirname(realpathSync(program)));
  if (running !== undefined && isComplete(running)) return running;
  const fetched = join(cache, 'npm/node_modules/npm');
  if (isComplete(fetched)) return fetched;
  mkdirSync(join(cache, 'npm'), { recursive: true });
  const args = ['install', '--prefix', join(cache, 'npm'), '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  const { status, stderr } = spawnSync('npm', [...args, 'npm@11'], { encoding: 'utf8' });
  if (status !== 0 || !isComplete(fetched)) {
    throw new DemoError(`npm cannot fetch npm@11:\n${stderr.trim().split('\n').slice(-5).join('\n')}`);
  }
  return fetched;
}

function isComplete(directory) {
  return existsSync(join(directory, 'bin/npm-cli.js')) && existsSync(join(directory, 'node_modules/@npmcli/arborist'));
}
