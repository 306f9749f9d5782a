/** Languages of pages: Chinese, English. */
export type Language = 'zh' | 'en';

/** One text in every language. */
export type Localized = Readonly<Record<Language, string>>;
