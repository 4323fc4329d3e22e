/** Whose pages these are, as the operator says. */
export interface Brand {
  readonly name: string;
  /** Undefined: the icon of this program. */
  readonly logo: Logo | undefined;
  /** `#rrggbb`: the background of the main buttons. */
  readonly colour: string;
  /** What is written on it. */
  readonly onColour: '#ffffff' | '#16181d';
  readonly privacyUrl: string | undefined;
  /** Whether the foot of the pages says which version runs. */
  readonly showVersion: boolean;
}

export interface Logo {
  /** e.g. `image/svg+xml` */
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** The brand with the text colour that can be read on its own. */
export function brandOf({ name, logo, colour, privacyUrl, showVersion }: Omit<Brand, 'onColour'>): Brand {
  return { name, logo, colour, privacyUrl, showVersion, onColour: readableOn(colour) };
}

/** White or nearly black, whichever has more contrast (WCAG 2.2, relative luminance). */
function readableOn(colour: string): Brand['onColour'] {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => linear(colour.slice(at, at + 2)));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.19 ? '#16181d' : '#ffffff';
}

function linear(hex: string): number {
  const value = Number.parseInt(hex, 16) / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
