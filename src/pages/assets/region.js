const language = document.documentElement.lang;

/** The reader's own way to write dates, where it goes with the language of the page: `en-GB` for `en`. */
export const region = navigator.languages.find((name) => name.split('-')[0] === language) ?? language;
