declare const digestBrand: unique symbol;

/** `sha256:<64 lower-case hex>` or `sha512:<128 lower-case hex>`, checked by {@link parseDigest}. */
export type Digest = `${string}:${string}` & { readonly [digestBrand]: true };
