export { type ByteString, fromByteString, toByteString, toFsPath } from './bytes.ts';
export * from './compress/index.ts';
export * from './documents/index.ts';
export * from './layer/index.ts';
export * from './names/index.ts';
export * from './places/index.ts';
export * from './store/index.ts';
export * from './tar/index.ts';
export * from './tree/index.ts';
