export { type BlobUploaderOptions, createBlobUploader } from './blob-uploader.ts';
export { type BlobContent, type BlobReceipt, type BlobUploader, checkedContent } from './upload.ts';
