/** Longest line, alone or joined from continuation lines, in characters. BuildKit stops at 64 KiB. */
export const maxLineLength: number = 1024 * 1024;

/** Largest Dockerfile or ignore file in bytes. */
export const maxFileSize: number = 16 * 1024 * 1024;

/** Longest value that an expansion may give, in characters; stops `ENV a=$a$a` from doubling for ever. */
export const maxValueLength: number = 1024 * 1024;

/** How deep `${a:-${b:-…}}` may nest. */
export const maxNesting = 200;

/** Most comparisons that the pattern of one `${x//p/r}` or `${x%p}` may take: its length times that of the value. */
export const maxPatternCost: number = 2 ** 28;

/** Most stages of a Dockerfile. */
export const maxStages = 10_000;

/** Most ONBUILD triggers that the stages of a Dockerfile run altogether. */
export const maxTriggers = 100_000;

/** Longest pattern of an ignore file or of `--exclude`: more than a path may have. */
export const maxPatternLength = 8192;
