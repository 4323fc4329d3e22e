import { LANGUAGES, type Language } from '../../system/languages.ts';

/** Browsers send less; what stands behind that is not read, whatever it is (attack 119). */
const LONGEST_READ = 512;

/**
 * The language for a reader, by what their browser says; English where it names no language that we have.
 *
 * @param acceptLanguage the header as it came (RFC 9110, 12.5.4)
 */
export function pickLanguage(acceptLanguage = ''): Language {
  const wanted = acceptLanguage
    .slice(0, LONGEST_READ)
    .split(',')
    .map(rangeOf)
    .filter(({ weight }) => weight > 0)
    .sort((left, right) => right.weight - left.weight);
  for (const { primary } of wanted) {
    const found = LANGUAGES.find((language) => language === primary);
    if (found !== undefined) return found;
  }
  return 'en';
}

/** The primary subtag of a language range, `de` of `de-AT`, and its weight. */
function rangeOf(written: string): { primary: string; weight: number } {
  const [range = '', ...parameters] = written
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { primary: range.split('-')[0] ?? '', weight: Number.isNaN(weight) ? 0 : weight };
}
