/** What is set for one registry. */
export interface RegistrySettings {
  /** Asked before the registry when content is read: `host[:port][/path]`, with `http://` before it for plain HTTP. */
  readonly mirrors: readonly string[];
  /** Certificates are not checked, and plain HTTP is taken where there is no TLS. */
  readonly insecure: boolean;
  /** It speaks plain HTTP. */
  readonly plainHttp: boolean;
  /** It may send us to addresses of private networks and this machine (storage and token services inside a company). */
  readonly privateRedirects: boolean;
  /** Path of a PEM file with authorities that are trusted besides the usual ones. */
  readonly ca: string | undefined;
  /** Paths of the PEM client certificate and its key. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Blobs that are sent or fetched at the same time. */
  readonly concurrency: number;
  readonly requestsPerSecond: number | undefined;
}

/** What is set for registries. */
export interface RegistriesConfig {
  /** By host, as references write it. */
  readonly registries: ReadonlyMap<string, RegistrySettings>;
  /** All hosts are insecure, those that a registry sends us to included: `--insecure`. */
  readonly allInsecure: boolean;
}

/** What holds for a registry about which nothing is said. */
export const defaultSettings: RegistrySettings = {
  mirrors: [],
  insecure: false,
  plainHttp: false,
  privateRedirects: false,
  ca: undefined,
  cert: undefined,
  key: undefined,
  concurrency: 6,
  requestsPerSecond: undefined,
};

/** Nothing is set. */
export const emptyConfig: RegistriesConfig = { registries: new Map(), allInsecure: false };

/** The settings of a registry, by its host. */
export function settingsOf(config: RegistriesConfig, registry: string): RegistrySettings {
  const settings = config.registries.get(registry) ?? defaultSettings;
  return config.allInsecure ? { ...settings, insecure: true } : settings;
}

/** The same configuration with registries that are insecure besides those that it names: `--insecure`. */
export function withInsecure(config: RegistriesConfig, insecure: boolean | readonly string[]): RegistriesConfig {
  if (insecure === true) return { ...config, allInsecure: true };
  if (insecure === false || insecure.length === 0) return config;
  const registries = new Map(config.registries);
  for (const host of insecure) registries.set(host, { ...(registries.get(host) ?? defaultSettings), insecure: true });
  return { ...config, registries };
}
