import type { StepReport } from '../steps/step-report.ts';

/** What became of one image of a deployment. */
export interface ImageSummary {
  /** Without the tag. */
  readonly image: string;
  readonly tags: readonly string[];
  readonly imageId: string | undefined;
  /** Of the manifest: in the registry where it was pushed, else as the engine keeps it. */
  readonly digest: string | undefined;
  /** Of its layers as the engine keeps them; where it was only pushed, as the registry has them. */
  readonly bytes: number | undefined;
  readonly built: boolean;
  /** Tags that the registry has now. */
  readonly pushedTags: readonly string[];
  /** All of its tags are there. */
  readonly pushed: boolean;
  /** Nothing had to be built or sent: this run, an earlier one or the registry had all of it. */
  readonly cached: boolean;
  readonly seconds: number;
  readonly engine: string;
}

/** Puts what steps report about images together: one summary for each name. */
export class ImageSummaries {
  readonly #images = new Map<string, ImageSummary>();

  add(report: StepReport): void {
    const { imageName: image, engine } = report;
    const before = this.#images.get(image);
    const isPush = report.kind === 'pushed';
    const tags = [...new Set([...(before?.tags ?? []), ...report.tags])];
    const sent = isPush || report.pushed ? report.tags : [];
    const pushedTags = [...new Set([...(before?.pushedTags ?? []), ...sent])];
    const done = report.cached || (isPush && report.upToDate);
    this.#images.set(image, {
      image,
      tags,
      imageId: isPush ? before?.imageId : report.imageId,
      digest: report.digest ?? before?.digest,
      bytes: before?.bytes ?? report.bytes,
      built: (before?.built ?? false) || !isPush,
      pushedTags,
      pushed: tags.every((tag) => pushedTags.includes(tag)),
      cached: (before?.cached ?? true) && done,
      seconds: Math.round(((before?.seconds ?? 0) + report.seconds) * 1000) / 1000,
      engine,
    });
  }

  list(): readonly ImageSummary[] {
    return [...this.#images.values()];
  }
}
