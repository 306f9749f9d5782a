export { ImageTree } from './image-tree.ts';
export { isDirectoryNode, LayerIndex, type LayerNode } from './layer-index.ts';
export type { ResolvedPath, ResolveOptions } from './resolve.ts';
export { scanLayer } from './scan-layer.ts';
export type { TreeContent, TreeNode } from './tree-node.ts';
export {
  type GroupEntry,
  groupEntries,
  type PasswdEntry,
  passwdEntries,
  readUserFiles,
  type UserFiles,
} from './user-files.ts';
export { type ExecUser, type FileOwner, lookupOwner, lookupUser, type UnknownUser } from './users.ts';
