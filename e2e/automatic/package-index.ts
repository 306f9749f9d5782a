import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TestAuthority } from '../../packages/oci/src/registry/testing/index.ts';
import { runOk } from '../support/run.ts';

/** A package for pip or npm, as make_packages.py makes it. */
export interface PackageSpec {
  readonly kind: 'wheel' | 'npm';
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
  /** A program that it installs. */
  readonly command?: string;
}

/** How a stand-in was called: see stand_in.py. */
export interface Call {
  readonly tool: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly files: readonly string[];
  readonly caches: Readonly<Record<string, readonly string[]>>;
}

/** An index of Python packages and a registry of npm packages in one, to which stand-ins report. */
export interface PackageIndex {
  readonly url: string;
  /** The same with TLS, by a certificate that nobody trusts: pip caches nothing else. */
  readonly secureUrl: string;
  /** Since the last time. */
  readonly takeCalls: () => readonly Call[];
  /** Names of the files that were fetched, since the last time. */
  readonly takeFetched: () => readonly string[];
  /** The text of a `package-lock.json` with these packages. */
  readonly npmLock: (versions: Readonly<Record<string, string>>) => string;
  readonly stop: () => Promise<void>;
}

/** Starts one on a free loopback port, with its files in `directory`. */
export async function startPackageIndex(directory: string, specs: readonly PackageSpec[]): Promise<PackageIndex> {
  mkdirSync(directory, { recursive: true });
  const input = JSON.stringify(specs.map((spec) => ({ command: null, ...spec })));
  await runOk('python3', [join(import.meta.dirname, 'make_packages.py'), directory], { input });
  let calls: Call[] = [];
  let fetched: string[] = [];
  const fileOf = ({ kind, name, version }: PackageSpec): string =>
    kind === 'wheel'
      ? `${name}-${version}-py3-none-any.whl`
      : `${name.replace('/', '-').replace('@', '')}-${version}.tgz`;
  const dist = (spec: PackageSpec): { readonly tarball: string; readonly integrity: string } => {
    const hash = createHash('sha512')
      .update(readFileSync(join(directory, fileOf(spec))))
      .digest('base64');
    return { tarball: `${url}/files/${fileOf(spec)}`, integrity: `sha512-${hash}` };
  };
  const of = (kind: PackageSpec['kind'], name: string): readonly PackageSpec[] =>
    specs.filter((spec) => spec.kind === kind && spec.name === name);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(request.url ?? '/');
    const file = /^\/files\/([\w.-]+)$/.exec(path)?.[1];
    const wheels = of('wheel', /^\/simple\/([^/]+)\/$/.exec(path)?.[1] ?? '');
    const versions = of('npm', path.slice(1));
    if (path === '/calls') {
      calls.push(JSON.parse(await text(request)));
      response.end();
    } else if (file !== undefined && specs.some((spec) => fileOf(spec) === file)) {
      fetched.push(file);
      // As the real ones: what has a name never changes.
      response.setHeader('cache-control', 'public, max-age=365000000, immutable');
      response.end(readFileSync(join(directory, file)));
    } else if (wheels.length > 0) {
      response.setHeader('content-type', 'text/html');
      response.end(wheels.map((spec) => `<a href="/files/${fileOf(spec)}">${fileOf(spec)}</a>\n`).join(''));
    } else if (versions.length > 0) {
      const entries = versions.map(({ command, ...spec }) => {
        const bin = command === undefined ? {} : { bin: { [command]: 'command' } };
        return [spec.version, { name: spec.name, version: spec.version, ...bin, dist: dist(spec) }] as const;
      });
      const latest = versions.at(-1)?.version;
      response.end(
        JSON.stringify({ name: path.slice(1), 'dist-tags': { latest }, versions: Object.fromEntries(entries) }),
      );
    } else {
      response.statusCode = 404;
      response.end('{}');
    }
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch((error: Error) => response.destroy(error));
  };
  const plain = createServer(listener);
  const secure = createSecureServer(new TestAuthority().issue({ name: 'index', hosts: ['127.0.0.1'] }), listener);
  const url = `http://${await listen(plain)}`;
  const secureUrl = `https://${await listen(secure)}`;
  return {
    url,
    secureUrl,
    takeCalls: () => {
      const taken = calls;
      calls = [];
      return taken;
    },
    takeFetched: () => {
      const taken = fetched;
      fetched = [];
      return taken;
    },
    npmLock: (wanted) => {
      const packages = Object.entries(wanted).map(([name, version]) => {
        const spec = of('npm', name).find((one) => one.version === version);
        if (spec === undefined) throw new Error(`no package ${name}@${version}`);
        const { tarball, integrity } = dist(spec);
        return [`node_modules/${name}`, { version, resolved: tarball, integrity }] as const;
      });
      const root = { name: 'app', dependencies: wanted };
      return JSON.stringify({
        name: 'app',
        lockfileVersion: 3,
        packages: { '': root, ...Object.fromEntries(packages) },
      });
    },
    stop: async () => {
      await Promise.all([close(plain), close(secure)]);
    },
  };
}

/** Returns `127.0.0.1:PORT`. */
async function listen(server: Server): Promise<string> {
  await new Promise<void>((fulfil) => server.listen(0, '127.0.0.1', fulfil));
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

function close(server: Server): Promise<void> {
  return new Promise((fulfil) => {
    server.close(() => fulfil());
    server.closeAllConnections();
  });
}
