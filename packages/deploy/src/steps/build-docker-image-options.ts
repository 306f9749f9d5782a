import type { EngineName, NamedContext, NetworkMode, SecretSource } from '@boxwright/build';

/** What {@link buildDockerImage} is told: Prefect's `build_docker_image`, with the arguments of docker-py and of buildx. */
export interface BuildDockerImageOptions {
  /** Registry and repository; a tag may follow. */
  readonly imageName: string;
  /** Relative to the context; `auto` makes one for the project. Default `Dockerfile`. */
  readonly dockerfile?: string | undefined;
  /** Default: the time of the first build of this image in a run (see `timestampTag`). */
  readonly tag?: string | undefined;
  readonly additionalTags?: readonly string[] | undefined;
  /** Builds also when an equal step of this run has. */
  readonly ignoreCache?: boolean | undefined;
  /** Writes what `auto` made to `dockerfileOutputPath`. */
  readonly persistDockerfile?: boolean | undefined;
  /** Relative to the directory of the steps. Default `Dockerfile.generated`. */
  readonly dockerfileOutputPath?: string | undefined;
  /** Default: the context's engine. `docker-py` is `docker`. */
  readonly buildBackend?: EngineName | 'docker-py' | undefined;
  /** The build context. Default: the directory of the steps. */
  readonly path?: string | undefined;
  /** Asks registries for base images that are here already. Default true, as for Prefect's step. */
  readonly pull?: boolean | undefined;
  readonly noCache?: boolean | undefined;
  readonly target?: string | undefined;
  readonly buildArgs?: ReadonlyMap<string, string> | undefined;
  readonly labels?: ReadonlyMap<string, string> | undefined;
  /** `linux/arm64`, `amd64`; several need an engine that can, and `push`. Default: that of this machine. */
  readonly platforms?: readonly string[] | undefined;
  readonly network?: NetworkMode | undefined;
  /** Host names and their addresses, for commands of the build. */
  readonly extraHosts?: ReadonlyMap<string, string> | undefined;
  readonly secrets?: readonly SecretSource[] | undefined;
  readonly buildContexts?: ReadonlyMap<string, NamedContext> | undefined;
  /** Pushes the image right away. Default false. */
  readonly push?: boolean | undefined;
  readonly cacheFrom?: readonly string[] | undefined;
  readonly cacheTo?: readonly string[] | undefined;
  readonly ssh?: readonly string[] | undefined;
  readonly builder?: string | undefined;
  /** Bytes. */
  readonly shmSize?: number | undefined;
  /** The build ends with an error after so many seconds. Default: never. */
  readonly timeoutSeconds?: number | undefined;
  /** Gives commands of the build the proxies of the Docker config, as Docker does. Default true. */
  readonly useConfigProxy?: boolean | undefined;
}

/** What {@link buildDockerImage} gives: Prefect's names, and the digest. */
export interface BuildDockerImageResult {
  readonly image_name: string;
  readonly tag: string;
  /** `image_name:tag` */
  readonly image: string;
  readonly image_id: string;
  readonly additional_tags: readonly string[];
  /** Digest of the manifest, where the engine tells; after a push with the build that of what the registry has. */
  readonly digest: string | null;
}
