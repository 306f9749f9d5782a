import type { OuterEngineOptions } from '../engine-options.ts';

/** What `docker buildx build` takes beside what every engine takes. */
export interface BuildxOptions extends OuterEngineOptions {
  /** Program; default `docker`. */
  readonly command?: string;
  /** `--builder`: a builder that `docker buildx ls` shows; remote and Kubernetes ones, too. */
  readonly builder?: string;
  /** Several platforms, in place of the one of the request. */
  readonly platforms?: readonly string[];
  /** `type=registry,ref=…,mode=max` (`--cache-to`). */
  readonly cacheTo?: readonly string[];
  /** `--provenance`; none is made unless it is asked for. */
  readonly provenance?: string;
  /** `--sbom`. */
  readonly sbom?: string;
  /** `--attest`. */
  readonly attest?: readonly string[];
  /** `--allow`: `network.host`, `security.insecure`. */
  readonly allow?: readonly string[];
  /** Also keeps an image that is pushed in the engine, which needs an engine and a builder of this year. */
  readonly load?: boolean;
  /** Further `--output` values, as buildx writes them. */
  readonly rawOutputs?: readonly string[];
}
