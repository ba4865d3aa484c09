/** `/keyloom/blobs/1`: public bytes by their SHA-256. */
export { ask, askUntilAnswered, register, type BlobOptions, type BlobProvider } from './service.ts';
