export { baseName, displayPath, joinPath, layerPath, parentPath, ROOT_PATH } from './layer-path.ts';
export {
  OPAQUE_WHITEOUT,
  opaqueWhiteoutPath,
  parseWhiteout,
  WHITEOUT_PREFIX,
  type Whiteout,
  whiteoutPath,
} from './whiteout.ts';
