import { encode } from './uqr.js';

const SVG = 'http://www.w3.org/2000/svg';

/** Light modules round the code that scanners need (ISO/IEC 18004). */
const QUIET_ZONE = 4;

/**
 * `text` as a QR code: dark on light in both colour schemes, because some scanners read nothing else.
 *
 * @param {string} text
 * @param {string} label
 */
export function qrCode(text, label) {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_ZONE });
  const dark = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  const picture = document.createElementNS(SVG, 'svg');
  picture.setAttribute('viewBox', `0 0 ${size} ${size}`);
  picture.setAttribute('class', 'qr');
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', label);
  picture.setAttribute('shape-rendering', 'crispEdges');
  const ground = document.createElementNS(SVG, 'rect');
  ground.setAttribute('width', '100%');
  ground.setAttribute('height', '100%');
  ground.setAttribute('fill', '#ffffff');
  const modules = document.createElementNS(SVG, 'path');
  modules.setAttribute('d', dark);
  modules.setAttribute('fill', '#000000');
  picture.append(ground, modules);
  return picture;
}
