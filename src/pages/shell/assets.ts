import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { Logo } from './brand.ts';

/** The same from `src/pages/shell/` and from `dist/pages/shell/`. */
const FOLDER = new URL('../assets/', import.meta.url);

/** The library that draws QR codes goes to browsers as it is; it has no imports. */
const UQR = join(dirname(createRequire(import.meta.url).resolve('uqr')), 'index.mjs');

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

interface Asset {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * The files that pages load: style sheet, scripts, pictures. All are in memory. Their addresses hold a digest of
 * everything, so browsers may keep them for ever.
 */
export class Assets {
  readonly #files: ReadonlyMap<string, Asset>;
  readonly #version: string;

  /** @param logo the operator's, if there is one */
  constructor(logo: Logo | undefined) {
    const files = new Map<string, Asset>(
      readdirSync(FOLDER)
        .filter((name) => mediaTypeOf(name) !== undefined)
        .map((name) => [
          name,
          { mediaType: mediaTypeOf(name) ?? '', bytes: readFileSync(new URL(name, FOLDER)) },
        ]),
    );
    files.set('uqr.js', { mediaType: MEDIA_TYPES.js ?? '', bytes: readFileSync(UQR) });
    if (logo !== undefined) files.set('logo', logo);
    this.#files = files;
    this.#version = digestOf(files);
  }

  /** Where `name` is to be had. */
  url(name: string): string {
    return `/_2fa/assets/${this.#version}/${name}`;
  }

  /** `GET /_2fa/assets/{version}/{file}` @throws Refusal unrecognized */
  async handle({ params }: ClientRequest): Promise<Answer> {
    const asset = this.#files.get(params.file ?? '');
    if (asset === undefined) throw new Refusal('unrecognized');
    // Another replica may run another version: its files are not to be kept under this name.
    const lasting = params.version === this.#version;
    return {
      status: 200,
      headers: {
        'Content-Type': asset.mediaType,
        'Cache-Control': lasting ? 'public, max-age=31536000, immutable' : 'no-store',
        // A picture that is opened by itself runs nothing.
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        'X-Content-Type-Options': 'nosniff',
        'Cross-Origin-Resource-Policy': 'same-origin',
        'Referrer-Policy': 'no-referrer',
      },
      sameOrigin: true,
      body: asset.bytes,
    };
  }
}

function mediaTypeOf(name: string): string | undefined {
  return MEDIA_TYPES[name.slice(name.lastIndexOf('.') + 1)];
}

function digestOf(files: ReadonlyMap<string, Asset>): string {
  const hash = createHash('sha256');
  for (const [name, { bytes }] of [...files].sort(([left], [right]) => (left < right ? -1 : 1))) {
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('base64url').slice(0, 16);
}
