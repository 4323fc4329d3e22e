/** The languages that every text is there in. */
export const LANGUAGES = ['en', 'de'] as const;

export type Language = (typeof LANGUAGES)[number];

/** A text in every language. */
export type Wording = Readonly<Record<Language, string>>;
