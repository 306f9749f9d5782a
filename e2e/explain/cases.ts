import { type CorpusCase, corpusCases } from '../runner/corpus-case.ts';

/** Who builds images to be explained. */
export type Builder = 'BuildKit' | 'classic' | 'buildah';

/**
 * Cases of the corpus whose histories and layers differ in kind: every instruction, what layers can hold, bases with
 * settings of their own, no base, no time. The builders other than BuildKit take seconds for each, and have fewer.
 */
const PER_BUILDER: Readonly<Record<Builder, readonly string[]>> = {
  BuildKit: [
    'add-archives',
    'arg-in-run-history',
    'base-without-times',
    'copy-big-and-sparse',
    'copy-hardlinks',
    'copy-inline',
    'copy-link',
    'copy-odd-names',
    'from-scratch-copy',
    'healthcheck-variants',
    'metadata-all',
    'mount-cache',
    'onbuild-define',
    'realistic-service',
    'run-continuations',
    'run-exec-form',
    'run-heredocs',
    'run-metadata-changes',
    'run-replace-kinds',
    'run-special',
    'run-whiteouts',
    'source-date-epoch',
    'times-filling',
  ],
  classic: [
    'add-archives',
    'arg-in-run-history',
    'base-without-times',
    'copy-hardlinks',
    'env-expansion',
    'healthcheck-variants',
    'label-flag',
    'maintainer',
    'metadata-html-escapes',
    'onbuild-triggers',
    'run-hardlinks',
    'shell-changes',
    'volume-then-change',
    'workdir-chain',
  ],
  buildah: [
    'arg-in-run-history',
    'base-without-times',
    'entrypoint-empty',
    'env-legacy',
    'expose-ranges',
    'label-flag',
    'maintainer',
    'metadata-html-escapes',
    'run-special',
    'stopsignal-forms',
    'workdir-chain',
  ],
};

/** The cases that `builder` builds, by name. */
export function explainedCases(builder: Builder): CorpusCase[] {
  return corpusCases().filter(({ name }) => PER_BUILDER[builder].includes(name));
}
