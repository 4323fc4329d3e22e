import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Picture } from './config.ts';
import { BadValue } from './values.ts';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
};

/** Every page shows it, and it is kept in memory. */
const MOST_BYTES = 256 * 1024;

/**
 * The picture in a file.
 *
 * @throws BadValue if it cannot be read, is of a kind that not every browser shows, or is larger than 256 KiB
 */
export function readPicture(path: string): Picture {
  const mediaType = MEDIA_TYPES[extname(path).toLowerCase()];
  if (mediaType === undefined) throw new BadValue('must be an SVG, PNG or WebP file');
  const bytes = read(path);
  if (bytes.length > MOST_BYTES) throw new BadValue('must not be larger than 256 KiB');
  return { mediaType, bytes };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new BadValue(`cannot read ${path}`);
  }
}
