import type { JsonObject } from '../../src/matrix/wire.ts';

/** A file of the repository that is written from the code: JSON, or a text as it is. */
export interface Product {
  readonly file: string;
  readonly content: JsonObject | string;
}
