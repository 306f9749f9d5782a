export { baseName, displayPath, joinPath, layerPath, parentPath, ROOT_PATH } from './layer-path.ts';
export { packDirectory } from './pack-directory.ts';
export type { PackOptions, PackResult } from './pack-options.ts';
export { unpackLayer } from './unpack-layer.ts';
export {
  type DirectoryAttributes,
  defaultUnpackLimits,
  type LowerAttributes,
  type UnpackLimits,
  type UnpackOptions,
  type UnpackResult,
} from './unpack-options.ts';
export {
  OPAQUE_WHITEOUT,
  opaqueWhiteoutPath,
  parseWhiteout,
  WHITEOUT_PREFIX,
  type Whiteout,
  whiteoutPath,
} from './whiteout.ts';
export { isLayerXattr, type OverlayNamespace, opaqueXattr } from './xattr-policy.ts';
