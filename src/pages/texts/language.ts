import type { ClientRequest } from '../../http/client_request.ts';
import { readCookie } from '../../http/headers.ts';

/** Browsers send less; what stands behind that is not read, whatever it is (attack 119). */
const LONGEST_READ = 512;
/** The parameter and the cookie by which a reader chooses. */
export const LANGUAGE_PARAMETER = 'lang';
export const LANGUAGE_COOKIE = 'm2fa_lang';
/** What a client asks for its user: language tags, by preference (OpenID Connect Core 3.1.2.1). */
const LOCALES_PARAMETER = 'ui_locales';
/** A year, in seconds. */
const COOKIE_MAX_AGE = 31_536_000;

/** The languages to choose from. */
interface Offered {
  readonly languages: readonly string[];
  /** For readers who ask for none of them. */
  readonly otherwise: string;
}

/**
 * The language for a reader: what they chose on a page, now or earlier, else what their client asks for
 * (`ui_locales`, OpenID Connect Core 3.1.2.1), else what their browser does.
 */
export function languageFor({ query, headers }: ClientRequest, offered: Offered): string {
  const { languages } = offered;
  return (
    find(query.get(LANGUAGE_PARAMETER), languages) ??
    find(readCookie(headers.cookie, LANGUAGE_COOKIE), languages) ??
    first(query.get(LOCALES_PARAMETER)?.slice(0, LONGEST_READ).split(' ') ?? [], languages) ??
    pickLanguage(headers['accept-language'], offered)
  );
}

/** What the client asked for, to be handed on in the addresses of a sign-in; undefined if those are not language tags. */
export function askedLocales({ query }: ClientRequest): string | undefined {
  const asked = query.get(LOCALES_PARAMETER);
  if (asked === undefined || asked.length > LONGEST_READ) return undefined;
  return /^[A-Za-z0-9]+([ -][A-Za-z0-9]+)*$/.test(asked) ? asked : undefined;
}

/** The header that keeps what a reader chooses with this request; undefined if they choose nothing. */
export function choiceCookie(
  { query }: ClientRequest,
  { languages }: Offered,
  publicBaseUrl: string,
): string | undefined {
  const chosen = find(query.get(LANGUAGE_PARAMETER), languages);
  const secure = publicBaseUrl.startsWith('https:') ? '; Secure' : '';
  return (
    chosen &&
    `${LANGUAGE_COOKIE}=${chosen}; HttpOnly; SameSite=Lax; Path=/; Max-Age=${COOKIE_MAX_AGE}${secure}`
  );
}

/**
 * The language that a browser asks for.
 *
 * @param acceptLanguage the header as it came (RFC 9110, 12.5.4)
 */
export function pickLanguage(acceptLanguage = '', { languages, otherwise }: Offered): string {
  const wanted = acceptLanguage
    .slice(0, LONGEST_READ)
    .split(',')
    .map(rangeOf)
    .filter(({ weight }) => weight > 0)
    .sort((left, right) => right.weight - left.weight);
  return (
    first(
      wanted.map(({ range }) => range),
      languages,
    ) ?? otherwise
  );
}

function first(wanted: readonly string[], languages: readonly string[]): string | undefined {
  for (const range of wanted) {
    const found = find(range, languages);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The language itself, `pt-BR` for `pt-br`; else one with the same beginning, `de` for `de-AT`. */
function find(wanted: string | undefined, languages: readonly string[]): string | undefined {
  if (wanted === undefined) return undefined;
  const lower = wanted.toLowerCase();
  const primary = lower.split('-')[0];
  return (
    languages.find((language) => language.toLowerCase() === lower) ??
    languages.find((language) => language.toLowerCase() === primary) ??
    languages.find((language) => language.toLowerCase().split('-')[0] === primary)
  );
}

/** A language range and its weight. */
function rangeOf(written: string): { range: string; weight: number } {
  const [range = '', ...parameters] = written
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { range, weight: Number.isNaN(weight) ? 0 : weight };
}
