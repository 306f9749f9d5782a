export { schemaErrors } from './json-schema.ts';
export { otherUser, whyOtherUserCannotRun } from './other-user.ts';
export { programLike } from './program-like.ts';
export { sourcesNode } from './sources-node.ts';
export { temporaryDirectories, temporaryDirectory } from './temporary-directory.ts';
