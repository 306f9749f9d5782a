/** What a build step has made: for summaries. */
export interface BuiltReport {
  readonly kind: 'built';
  /** Without the tag. */
  readonly imageName: string;
  readonly tags: readonly string[];
  readonly imageId: string;
  readonly digest: string | undefined;
  /** As the engine keeps it. */
  readonly bytes: number | undefined;
  /** Nothing had to be done. */
  readonly cached: boolean;
  readonly seconds: number;
  readonly engine: string;
  /** Pushed with the build. */
  readonly pushed: boolean;
}

/** What a push step has done: for summaries. */
export interface PushedReport {
  readonly kind: 'pushed';
  readonly imageName: string;
  /** All that are there now. */
  readonly tags: readonly string[];
  readonly digest: string | undefined;
  /** In the registry, compressed. */
  readonly bytes: number | undefined;
  /** The registry had all of it. */
  readonly upToDate: boolean;
  /** A step before had done it. */
  readonly cached: boolean;
  readonly seconds: number;
  readonly engine: string;
}

/** What a step that makes or pushes an image tells for the summary of a run. */
export type StepReport = BuiltReport | PushedReport;
