import { openApi } from '../../src/admin/openapi.ts';
import type { Product } from './product.ts';

/** The description of the admin API, which the server answers too. */
export function adminDescription(): Product[] {
  return [{ file: 'spec/openapi.json', content: openApi() }];
}
