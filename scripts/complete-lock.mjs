// Completes package-lock.json with the optional packages of other platforms that the registry at hand does not carry: npm
// leaves those out when it writes the file, and `npm ci` then refuses it. `--check` only says what is missing.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = join(dirname(fileURLToPath(import.meta.url)), '../package-lock.json');
const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** The entry that Node's look-up from `path` upwards finds for a package. */
function find(packages, path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const entry = packages[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`];
    if (entry !== undefined || at === '') return entry;
  }
}

/** What a platform package's name says of the platform, as its own package.json would. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined;
  return {
    ...(os === undefined ? {} : { os: [os] }),
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(libc === undefined ? {} : { libc: [libc] }),
  };
}

const lock = JSON.parse(readFileSync(file, 'utf8'));
/** @type {Map<string, object>} */
const missing = new Map();
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    const version = range.replace(/^[\^~]/, '');
    const found = find(lock.packages, path, name);
    if (found !== undefined && (found.version === version || range !== version)) continue;
    const place = found === undefined ? `node_modules/${name}` : `${path}/node_modules/${name}`;
    missing.set(place, { version, ...platformOf(name), ...(dev === true ? { dev } : {}), optional: true });
  }
}
if (process.argv.includes('--check')) {
  for (const place of missing.keys()) console.error(`missing: ${place}`);
  process.exit(missing.size === 0 ? 0 : 1);
}
const packages = Object.entries({ ...lock.packages, ...Object.fromEntries(missing) });
lock.packages = Object.fromEntries(packages.sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${missing.size} entries added`);
